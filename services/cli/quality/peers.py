"""Three other ways of finding copies, as they are usually built, to be measured beside ours.

All see the normalizer's text, folded as ours is: what they miss is not for want of clean input.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

import numpy as np

from services.runtime.text import comparable

_MARKS = re.compile("[\u0300-\u036f]")
_WORD = re.compile(r"[^\W_]+")
_NEAR = 3
"""Bits in which two SimHashes may differ (Manku et al. 2007)."""


def shingles(text: str) -> list[str]:
    """Return the 5-syllable shingles of folded text, the fastest way that Python alone has."""
    folded = _MARKS.sub("", unicodedata.normalize("NFD", text.lower().replace("đ", "d")))
    words = _WORD.findall(folded)
    return [" ".join(words[i : i + 5]) for i in range(len(words) - 4)]


class Peer(Protocol):
    """An index of texts."""

    def add(self, key: str, text: str) -> None:
        """Remember a text."""

    def find(self, text: str) -> set[str]:
        """Return the keys of what is said to be the same."""


class ExactHash:
    """Equal words, whatever the case, punctuation and spacing."""

    def __init__(self) -> None:
        self._keys: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, key: str, text: str) -> None:
        """Remember a text."""
        self._keys[comparable(text)].add(key)

    def find(self, text: str) -> set[str]:
        """Return the keys of equal texts."""
        return self._keys.get(comparable(text), set())


class SimHash:
    """64 bits, a bit for each of 64 random votes over the shingles (Charikar 2002); at most 3 differ."""

    def __init__(self) -> None:
        self._blocks: defaultdict[tuple[int, int], list[tuple[int, str]]] = defaultdict(list)

    @staticmethod
    def _hash(text: str) -> int:
        hashes = [hashlib.blake2b(shingle.encode(), digest_size=8).digest() for shingle in shingles(text)]
        if not hashes:
            return 0
        bits = np.unpackbits(np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 8), axis=1)
        return int.from_bytes(np.packbits(2 * bits.sum(axis=0) > len(hashes)).tobytes(), "big")

    def add(self, key: str, text: str) -> None:
        """Remember a text, under each quarter of its hash: three bits leave one of them alone."""
        value = self._hash(text)
        for block in range(_NEAR + 1):
            self._blocks[block, value >> 16 * block & 0xFFFF].append((value, key))

    def find(self, text: str) -> set[str]:
        """Return the keys of texts whose hash differs in at most three bits."""
        value = self._hash(text)
        return {
            key
            for block in range(_NEAR + 1)
            for other, key in self._blocks[block, value >> 16 * block & 0xFFFF]
            if (other ^ value).bit_count() <= _NEAR
        }


class MinHashLsh:
    """datasketch's MinHashLSH with 128 permutations and a threshold of 0.5."""

    def __init__(self) -> None:
        import datasketch  # of the extra "bench"

        self._minhash = datasketch.MinHash
        self._lsh = datasketch.MinHashLSH(threshold=0.5, num_perm=128)

    def _of(self, text: str) -> object:
        minhash = self._minhash(num_perm=128)
        found = {shingle.encode() for shingle in shingles(text)}
        if found:
            minhash.update_batch(found)
        return minhash

    def add(self, key: str, text: str) -> None:
        """Remember a text."""
        self._lsh.insert(key, self._of(text))

    def find(self, text: str) -> set[str]:
        """Return the keys of texts in a common bucket."""
        return set(self._lsh.query(self._of(text)))


def available() -> dict[str, Callable[[], Peer]]:
    """Return the peers that can be measured here, by name."""
    peers: dict[str, Callable[[], Peer]] = {
        "exact hash": ExactHash,
        f"SimHash, at most {_NEAR} bits": SimHash,
    }
    with suppress(PackageNotFoundError):
        peers[f"datasketch {version('datasketch')} MinHash LSH, 0.5"] = MinHashLsh
    return peers
