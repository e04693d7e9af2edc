"""The two exceptions a service may end a message with: invalid -> dead letter, infrastructure -> stop.

Anything else that escapes a pure function is a bug of ours. The message that met it goes to the
dead-letter topic as `internal_error`, with the class and text of the exception: one odd article must not
stop the press, and the dead-letter circuit breaker stops the service when the bug meets many.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a message went to the dead-letter topic. Values are published: metric label and header."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    NO_IDENTITY = "no_identity"
    NO_TEXT = "no_text"
    BAD_FIELD = "bad_field"
    BAD_STATUS = "bad_status"
    INTERNAL_ERROR = "internal_error"


class InvalidMessage(Exception):
    """The message can never be processed: it goes to the dead-letter topic with its reason.

    `reason` is one of the published codes; `detail` is a sentence for whoever runs the crawler.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class InfrastructureError(Exception):
    """Kafka or the machine failed us: the process stops before the message is acknowledged."""
