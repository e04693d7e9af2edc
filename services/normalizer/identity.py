"""Who an article is: stable across crawls, versions and replays."""

from __future__ import annotations

import hashlib

from services.normalizer.characters import one_line

MAX_LENGTH = 200


def from_crawler(value: str) -> str:
    """Return the crawler's id, printable and at most 200 characters; a longer one becomes its hash.

    Empty if nothing printable is in it.
    """
    cleaned = one_line(value)
    if len(cleaned) <= MAX_LENGTH:
        return cleaned
    return "id-" + hashlib.sha256(cleaned.encode()).hexdigest()[:32]


def from_url(canonical_url: str) -> str:
    """Return the id of an article that only its address identifies: the same for every form of it."""
    return "url-" + hashlib.sha256(canonical_url.encode()).hexdigest()[:16]
