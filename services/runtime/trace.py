"""W3C Trace Context: which raw message a record follows from, for whoever follows one article by its logs.

https://www.w3.org/TR/trace-context/. We record no spans, so the context is passed on as it came.
"""

from __future__ import annotations

import hashlib
import re

TRACEPARENT = "traceparent"
_FORM = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""Version (ff is none), trace id, parent id (neither all zero), flags."""


def valid(value: bytes) -> str | None:
    """Return a `traceparent` as it is, or None for one that the specification does not allow."""
    return value.decode() if _FORM.fullmatch(value) else None


def made_for(identity: str) -> str:
    """Return the context of a message that came without one: the same each time for the same identity.

    Not sampled (flags 00): nobody has recorded a span.
    """
    digest = hashlib.blake2b(identity.encode(), digest_size=24).hexdigest()
    return f"00-{digest[:32]}-{digest[32:]}-00"


def trace_id_of(traceparent: str) -> str:
    """Return the trace id: what logs are searched for."""
    return traceparent.split("-")[1]
