"""Identities: the stable ids under which the forms of one name meet."""

from __future__ import annotations

import hashlib
import re

from services.enricher.syllable import is_vietnamese_folded
from services.runtime.text import syllables

_IY = re.compile("yy|iy|ii|y")
LOCAL_DIGITS = 8


def person_id(name: str) -> str:
    """Return `person:` and the sorted set of folded name tokens.

    Word order and accents do not count, and neither do the transliterations of one Cyrillic ending
    (-y, -yy, -iy, -ii), except in words that can be Vietnamese, where y is a letter of its own.
    """
    return f"person:{'-'.join(sorted(set(name_tokens(name))))}"


def name_tokens(name: str) -> list[str]:
    """Return the comparable tokens of a person's name, in order."""
    tokens = syllables(name.replace("'", "").replace("’", ""))
    return [t if is_vietnamese_folded(t) else _IY.sub("i", t) for t in tokens]


def slug(name: str) -> str:
    """Return the folded words of a name joined by hyphens, in order."""
    return "-".join(syllables(name))


def local_id(prefix: str, name: str, article_id: str) -> str:
    """Return an id that is good within one article only, for names that many bear."""
    digest = hashlib.sha256(article_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{prefix}:{slug(name)}@{digest[:LOCAL_DIGITS]}"
