"""The signature of a text: what its record publishes and the index keeps."""

from __future__ import annotations

import binascii
import struct

from services.deduplicator.figures import FIGURES

SAMPLES = 48
"""Shingles kept: a containment of 0.8 is estimated with a standard error of 0.06."""

INDEXED = 20
"""Of these the smallest, by which the text is found. A third of a text still shares about seven."""

HEAD = 10
"""32-bit words of a signature before the samples."""

LONGEST = HEAD + SAMPLES + FIGURES
"""32-bit words of the longest signature."""

FORMAT = 1
"""First byte of a signature: how to read it."""


_HEAD = struct.Struct("<xBBxQI20xI")
"""Samples, figures, title_bits, title and length."""


class Signature:
    """What a record carries of its text, and all that the index keeps of it.

    Little-endian 32-bit words: format and counts, title_bits (two), title, start, last, top, index_top, size,
    length, the samples in the order of the text, and the figures, ascending.
    """

    __slots__ = ("figures", "length", "packed", "samples", "title", "title_bits")

    def __init__(self, packed: bytes) -> None:
        """Read the head of packed words; `from_text` checks them first."""
        self.packed = packed
        self.samples: int
        """How many of the smallest distinct shingles are kept."""
        self.figures: int
        """How many figures are kept."""
        self.title_bits: int
        """64-bit set: one bit for each word of the title that is no number."""
        self.title: int
        """Hash of the folded title, 0 if it has no word."""
        self.length: int
        """Words of the text."""
        self.samples, self.figures, self.title_bits, self.title, self.length = _HEAD.unpack_from(packed)

    @property
    def for_row(self) -> bytes:
        """The part from `title_bits` to `size`."""
        return self.packed[4:36]

    @property
    def for_words(self) -> bytes:
        """The samples and figures."""
        return self.packed[4 * HEAD :]


EMPTY = Signature(b"\0" * (4 * HEAD))
"""The signature of a withdrawn article."""


def to_text(packed: bytes) -> str:
    """Return a packed signature as it is published: Base64."""
    return binascii.b2a_base64(packed, newline=False).decode()


def from_text(text: str) -> Signature:
    """Return the signature that a record carries; empty text is that of a withdrawn article.

    Raises ValueError for anything that `to_text` does not write.
    """
    if not text:
        return EMPTY
    packed = binascii.a2b_base64(text, strict_mode=True)
    if len(packed) < 4 * HEAD or packed[0] != FORMAT or packed[3]:
        raise ValueError("not a signature of this version")
    signature = Signature(packed)
    if signature.samples > SAMPLES or signature.figures > FIGURES:
        raise ValueError("a signature with too many samples")
    if len(packed) != 4 * (HEAD + signature.samples + signature.figures):
        raise ValueError("a signature of the wrong length")
    return signature
