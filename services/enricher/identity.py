"""Identities: the stable ids under which the forms of one name meet."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from services.enricher.syllable import is_vietnamese_folded
from services.runtime.text import syllables

_IY = re.compile("yy|iy|ii|y")
LOCAL_DIGITS = 8
_CACHED = 32_768
"""Names whose folded forms are kept: an article says the same few again and again."""


def person_id(name: str) -> str:
    """Return `person:` and the sorted set of folded name tokens.

    Word order and accents do not count, and neither do the transliterations of one Cyrillic ending
    (-y, -yy, -iy, -ii), except in words that can be Vietnamese, where y is a letter of its own.
    """
    return f"person:{'-'.join(sorted(set(name_tokens(name))))}"


@lru_cache(maxsize=_CACHED)
def name_tokens(name: str) -> tuple[str, ...]:
    """Return the comparable tokens of a person's name, in order."""
    tokens = syllables(name.replace("'", "").replace("’", ""))
    return tuple([t if is_vietnamese_folded(t) else _IY.sub("i", t) for t in tokens])


@lru_cache(maxsize=_CACHED)
def slug(name: str) -> str:
    """Return the folded words of a name joined by hyphens, in order."""
    return "-".join(syllables(name))


def local_id(prefix: str, name: str, article_id: str) -> str:
    """Return an id that is good within one article only, for names that many bear."""
    digest = hashlib.sha256(article_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{prefix}:{slug(name)}@{digest[:LOCAL_DIGITS]}"
