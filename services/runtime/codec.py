"""Bytes to records and back. Whatever cannot become a JSON object is an InvalidMessage with its reason."""

from __future__ import annotations

import orjson

from services.runtime.errors import InvalidMessage, Reason
from services.runtime.records import Record

MAX_DEPTH = 32
"""Nesting above this is no article; orjson itself could read 1024 levels but write back only 254."""

RECORD_LIMIT_BYTES = 4 * 1024 * 1024
"""Largest record between services: the `max.message.bytes` of their topics."""


def decode(value: bytes | None, max_bytes: int) -> Record:
    """Return the JSON object in `value` (UTF-8), of at most `max_bytes` bytes.

    Of repeated keys the last one counts. Raises InvalidMessage.
    """
    if not value:
        raise InvalidMessage(Reason.NOT_JSON, "The message is empty; send one JSON object per message.")
    if len(value) > max_bytes:
        raise InvalidMessage(
            Reason.TOO_LARGE, f"The message has {len(value)} bytes; the limit is {max_bytes} bytes."
        )
    try:
        record = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise InvalidMessage(Reason.NOT_JSON, f"The message is not JSON in UTF-8: {error}.") from error
    if not isinstance(record, dict):
        raise InvalidMessage(
            Reason.NOT_AN_OBJECT, f"The message is a JSON {_json_type(record)}; send an object."
        )
    if _deeper_than(record, MAX_DEPTH):
        raise InvalidMessage(Reason.TOO_DEEP, f"The message nests more than {MAX_DEPTH} levels deep.")
    return record


def encode(record: Record) -> bytes:
    """Return the record as compact UTF-8 JSON, fields in the order of the record."""
    return orjson.dumps(record)


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    return {list: "array", str: "string", bool: "boolean"}.get(type(value), "number")


def _deeper_than(value: object, levels: int) -> bool:
    layer: list[object] = [value]
    for _ in range(levels + 1):
        layer = [
            child
            for parent in layer
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not layer:
            return False
    return True
