"""The AsyncAPI 3.0 document of all topics, generated from `schemas/topics` and `schemas/records`.

Payloads are references to the JSON Schemas beside the document, not copies: the two cannot disagree.
"""

from __future__ import annotations

from typing import Any, get_args

import yaml

from services.cli.dead import How
from services.runtime import dead_letters, trace
from services.runtime.editions import PROBE_HEADER
from services.runtime.errors import Reason
from services.runtime.events import ARRIVED_AT
from services.runtime.memory import INPUT
from services.runtime.settings import Settings
from services.runtime.topics import DEAD, Topic, all_topics
from services.topology import SERVICES, STAGES

Node = dict[str, Any]
"""Any object of the document."""

COMMAND = "make schemas"
VERSION = "1.0.0"
"""Version of the contract: the major number is the `v1` of schema ids and event types."""

_MARKER = "SettledMarker"
_BINDING_VERSION = "0.5.0"
_DESCRIPTION = """\
Crawlers write raw articles to Kafka; each stage reads one topic and writes the next, and every change of a
story is a record on news.stories that anybody may subscribe to.

An operation is named by who does it: `send` and `receive` are meant from that party's side. Records are
JSON in UTF-8. Events are CloudEvents 1.0 in Kafka's binary mode: attributes in headers, the record as the
value. Where `x-partition-by` is `edition`, all records of an edition lie in one partition, in the order of
the decisions; where it is `key`, the producer's partitioner decides.
"""


def document() -> Node:
    """Return the AsyncAPI 3.0 document; `$ref`s to files are relative to `schemas/`."""
    topics = all_topics().values()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Mạch Tin",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": Settings().kafka_bootstrap_servers,
                "protocol": "kafka",
                "description": "The default; KAFKA_BOOTSTRAP_SERVERS names another cluster.",
            }
        },
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {
            f"{_slug(party)}.{action}.{topic.name}": _operation(topic, party, action)
            for topic in topics
            for action, parties in (("send", topic.produced_by), ("receive", topic.consumed_by))
            for party in parties
        },
        "components": {
            "messages": {_message_name(topic): _message(topic) for topic in topics} | {_MARKER: _marker()},
            "schemas": {
                _message_name(topic): {"$ref": f"./records/{topic.schema}.schema.json"}
                for topic in topics
                if topic.schema is not None
            },
        },
    }


def render() -> str:
    """Return the document as the YAML that is committed as `schemas/asyncapi.yaml`."""
    body = yaml.dump(document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"# Generated from schemas/topics and schemas/records. Do not edit; run: {COMMAND}\n{body}"


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block, so that it reads as it was written."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write every value where it belongs: readers should not have to look up anchors."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def _channel(topic: Topic) -> Node:
    return {
        "address": topic.name,
        "description": topic.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _message_names(topic)},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {key: _config_value(key, value) for key, value in topic.config.items()},
                "bindingVersion": _BINDING_VERSION,
            }
        },
        "x-owner": topic.owner,
        "x-partition-by": topic.partition_by,
        "x-examples": f"./examples/{topic.name}/",
    }


def _operation(topic: Topic, party: str, action: str) -> Node:
    channel = f"#/channels/{topic.name}"
    operation: Node = {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [
            {"$ref": f"{channel}/messages/{name}"}
            for name in _message_names(topic)
            if action == "receive" or _sends(party, topic, name)
        ],
        "tags": [{"name": party}, {"name": "service" if party in SERVICES else "outside"}],
    }
    if action == "receive" and party in STAGES:
        operation["bindings"] = {
            "kafka": {
                "groupId": {"type": "string", "const": f"machtin-{party}"},
                "bindingVersion": _BINDING_VERSION,
            }
        }
    return operation


def _message(topic: Topic) -> Node:
    name = _message_name(topic)
    dead = topic.schema is None
    return {
        "name": topic.event_type or topic.name,
        "title": topic.description,
        "contentType": "application/octet-stream" if dead else "application/json",
        "headers": _dead_letter_headers(topic) if dead else _event_headers(topic),
        "payload": (
            {"description": "The original bytes, whatever they are."}
            if dead
            else {"$ref": f"#/components/schemas/{name}"}
        ),
        "bindings": {
            "kafka": {
                "key": {
                    "type": ["string", "null"] if _outside(topic) or dead else "string",
                    "description": _key_description(topic),
                },
                "bindingVersion": _BINDING_VERSION,
            }
        },
    }


def _key_description(topic: Topic) -> str:
    if topic.key is None:
        return "The original message's key."
    if _outside(topic):
        return f"Any; best the record's {topic.key} or url, which keeps an article's versions in order."
    return f"The record's {topic.key}, in UTF-8."


def _event_headers(topic: Topic) -> Node:
    """Return the schema of the CloudEvents headers; nobody outside has to send them."""
    sources = [f"/machtin/{party}" for party in topic.produced_by if party in STAGES]
    properties: Node = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {
            "type": "string",
            "minLength": 1,
            "description": "Hash of the record: a record sent twice has the same id.",
        },
        "ce_source": {
            "type": "string",
            "format": "uri-reference",
            **({"enum": sources} if sources else {}),
            "description": "Who wrote it.",
        },
        "ce_type": {"type": "string", "const": topic.event_type},
        "ce_subject": {"type": "string", "description": f"The record's {topic.key}."},
        "ce_time": {
            "type": "string",
            "format": "date-time",
            "description": "Time of the event, from the record; never the sender's clock.",
        },
        "content-type": {"type": "string", "const": "application/json"},
    }
    if _outside(topic):
        return {
            "type": "object",
            "description": "CloudEvents attributes are welcome and not needed.",
            "properties": {**_carried(), **properties},
        }
    arrived_at = {
        "type": "string",
        "pattern": "^[0-9]+$",
        "description": "Extension: when the raw article behind it arrived, in milliseconds since the epoch.",
    }
    return {
        "type": "object",
        "required": list(properties),
        "properties": {ARRIVED_AT: arrived_at, INPUT: _input(), **_carried(), **properties},
    }


def _input() -> Node:
    return {
        "type": "string",
        "pattern": "^[0-9]+@[0-9]+$",
        "description": "Offset and time (milliseconds) of the message that a stateful stage decided here, in"
        " the partition of its input that has the number of this one.",
    }


def _carried() -> Node:
    """Return the schemas of the headers that a raw message may have and that all stages pass on."""
    return {
        trace.TRACEPARENT: {
            "type": "string",
            "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
            "description": "W3C trace context: the crawler's, or made from where the raw message lies.",
        },
        PROBE_HEADER: {
            "type": "string",
            "const": "1",
            "description": "A probe's, no news: subscribers leave it out.",
        },
    }


def _dead_letter_headers(topic: Topic) -> Node:
    prefix = dead_letters.PREFIX
    number = {"type": "string", "pattern": "^[0-9]+$"}
    properties: Node = {
        f"{prefix}topic": {"type": "string", "description": "Topic of the original message."},
        f"{prefix}partition": {**number, "description": "Its partition."},
        f"{prefix}offset": {**number, "description": "Its offset."},
        f"{prefix}connector.name": {"type": "string", "const": "machtin"},
        f"{prefix}stage": {
            "type": "string",
            "enum": list(topic.produced_by),
            "description": "The service that could not use it.",
        },
        f"{prefix}exception.class.name": {"type": "string", "description": "What the failure is called."},
        f"{prefix}exception.message": {"type": "string", "description": "What is wrong, as a sentence."},
        dead_letters.REASON: {
            "type": "string",
            "enum": [reason.value for reason in Reason],
            "description": "What is wrong, as a code.",
        },
        dead_letters.ATTEMPTS: {**number, "description": "How often it has failed, this time included."},
    }
    return {
        "type": "object",
        "description": "The original headers, then these, named as in Kafka Connect's dead letter queue.",
        "required": list(properties),
        "properties": properties,
    }


def _marker() -> Node:
    """Return the message that settles a dead letter."""
    return {
        "name": dead_letters.SETTLED,
        "title": "Marks a dead letter as settled, so that it is listed no more.",
        "headers": {
            "type": "object",
            "required": [dead_letters.SETTLED, dead_letters.SETTLED_HOW],
            "properties": {
                dead_letters.SETTLED: {
                    "type": "string",
                    "pattern": "^[0-9]+:[0-9]+$",
                    "description": "Partition and offset of the dead letter on this topic.",
                },
                dead_letters.SETTLED_HOW: {"type": "string", "enum": list(get_args(How))},
            },
        },
        "payload": {"type": "null"},
        "bindings": {
            "kafka": {
                "key": {"type": ["string", "null"], "description": "The dead letter's key."},
                "bindingVersion": _BINDING_VERSION,
            }
        },
    }


def _outside(topic: Topic) -> bool:
    """Return whether no service of ours writes the topic."""
    return not set(topic.produced_by) & set(STAGES)


def _message_names(topic: Topic) -> list[str]:
    return [_message_name(topic), *([_MARKER] if topic.name == DEAD else [])]


def _sends(party: str, topic: Topic, message: str) -> bool:
    """Return whether a writer of the topic writes this message of it: stages write no markers."""
    return topic.name != DEAD or (message == _MARKER) == (party not in STAGES)


def _message_name(topic: Topic) -> str:
    return "".join(word.capitalize() for word in (topic.schema or "dead-letter").split("-"))


def _config_value(key: str, value: str) -> int | str | list[str]:
    if key == "cleanup.policy":
        return value.split(",")
    return int(value) if value.removeprefix("-").isdigit() else value


def _slug(party: str) -> str:
    return party.replace(" ", "-")
