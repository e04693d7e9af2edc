"""Editions, and those that only the probe writes in.

A raw message with the header `machtin-probe` belongs to the probe's edition of its language. Nothing is
ever compared across editions, so a probe's articles cannot meet real ones; and whoever sends that header
with an article of his own hides that one article, which he could as well not have sent.
"""

from __future__ import annotations

from collections.abc import Iterable

PROBE_HEADER = "machtin-probe"
PROBE_SUFFIX = "-probe"


def is_probe(edition: str) -> bool:
    """Tell whether an edition is a probe's: no language has a hyphen in its code."""
    return edition.endswith(PROBE_SUFFIX)


def probe_edition(edition: str) -> str:
    """Return the probe's edition beside `edition`."""
    return edition if is_probe(edition) else edition + PROBE_SUFFIX


def language_of(edition: str) -> str:
    """Return the edition that this one is, or is the probe's of: both are treated alike."""
    return edition.removesuffix(PROBE_SUFFIX)


def from_probe(headers: Iterable[tuple[str, bytes]]) -> bool:
    """Tell whether a message says that a probe sent it."""
    return any(name == PROBE_HEADER and value == b"1" for name, value in headers)
