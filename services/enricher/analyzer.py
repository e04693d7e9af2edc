"""Words, part-of-speech tags and entity labels of underthesea 9.5, at a speed that keeps up.

The models are those inside the installed package; what comes out is token for token what its public
`word_tokenize`, `pos_tag` and `ner` return for the same sentence. The chunk layer is left out: `ner`
computes it, but no template of its model reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.util import find_spec
from itertools import pairwise, repeat
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np

from services.enricher.crf import DIGIT, IN_DICT, TITLE, Compiled
from services.enricher.crf_tables import compile_model
from services.enricher.crfsuite import read_model
from services.enricher.hash_table import Ints
from services.enricher.tokenizer import Token, Tokenizer
from services.runtime.errors import InfrastructureError

MAX_CACHED_WORDS = 100_000
"""Entries of each word cache; a full cache is emptied (entries are pure, so no result depends on it)."""

_SEGMENTER = "pipeline/word_tokenize/models/ws_crf_vlsp2013_20230727"
_POS_MODEL = "pipeline/pos_tag/pos_crf_2017_10_11.bin"
_NER_MODEL = "pipeline/ner/ner_crf_2017_10_12.bin"

_WORD_TEMPLATES = [
    *(f"T[{d}]{f}" for f in ("", ".lower") for d in (-2, -1, 0, 1, 2)),
    *(f"T[{d},{d + 1}]" for d in (-2, -1, 0, 1)),
]
_POS_TEMPLATES = [
    *_WORD_TEMPLATES,
    *(f"T[{d}].istitle" for d in (-1, 0, 1)),
    *(f"T[{d}][1]" for d in (-3, -2, -1)),
    *(f"T[{d},{d + 1}][1]" for d in (-3, -2)),
]
_NER_TEMPLATES = [
    *_WORD_TEMPLATES,
    *(f"T[{d}].istitle" for d in (-2, -1, 0, 1, 2)),
    *(f"T[{d}][1]" for d in (-2, -1, 0, 1, 2)),
    *(f"T[{d},{d + 1}][1]" for d in (-2, -1, 0, 1)),
    *(f"T[{d}][3]" for d in (-3, -2, -1)),
]

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_INTEGERS = range(-(2**31), 2**31)


class Word(NamedTuple):
    """One word of a sentence: tokens joined by the segmenter."""

    text: str
    """As underthesea spells it: syllables joined by single spaces, known misspellings repaired."""
    start: int
    end: int
    """Character offsets into the analysed text, end exclusive."""
    tag: str
    """Part of speech, such as N, V, Np."""
    label: str
    """underthesea's entity label in IOB, such as B-PER."""


class Analyzer:
    """The three models, compiled. Construction takes about two seconds; memory is fixed afterwards.

    Raises InfrastructureError if the installed underthesea does not hold the models.
    """

    def __init__(self) -> None:
        root = _package()
        self.tokenizer = Tokenizer()
        dictionary: set[str] = joblib.load(root / _SEGMENTER / "dictionary.bin")
        self._segmenter = compile_model(
            read_model(root / _SEGMENTER / "models.bin"),
            joblib.load(root / _SEGMENTER / "features.bin"),
            lambda token: _segmenter_shape(token, dictionary),
            dictionary=dictionary,
        )
        self._pos = compile_model(read_model(root / _POS_MODEL), _POS_TEMPLATES, _title, history_column=1)
        self._ner = compile_model(
            read_model(root / _NER_MODEL),
            _NER_TEMPLATES,
            _title,
            history_column=3,
            tag_column=1,
            tags=self._pos.labels,
        )
        self._inside = self._segmenter.labels.index("I-W")
        self._token_codes: dict[str, int] = {}
        self._pos_codes: dict[str, int] = {}
        self._ner_codes: dict[str, int] = {}
        self.analyze("Bản tin sáng nay.", [(0, 17)])

    def analyze(self, text: str, spans: list[tuple[int, int]]) -> list[list[Word]]:
        """Return the words of each sentence, given as (start, end) in `text` without outer white space."""
        return self.tag(self.tokenize(text, spans))

    def tokenize(self, text: str, spans: list[tuple[int, int]]) -> list[list[Token]]:
        """Return the tokens (for Vietnamese, syllables and punctuation) of each sentence."""
        return [self.tokenizer.tokens(text, start, end) for start, end in spans]

    def tag(self, sentences: list[list[Token]], *, labelled: bool = True) -> list[list[Word]]:
        """Join tokens into words and tag the words. Sentences may be empty.

        Unless `labelled`, underthesea's entity labels are not computed and are all `O`.
        """
        tokens = [t for s in sentences for t in s]
        if not tokens:
            return [[] for _ in sentences]
        bounds = _bounds(sentences)
        codes = _codes([t.text for t in tokens], self._segmenter, self._token_codes)
        begins = self._segmenter.decode(codes, bounds) != self._inside
        begins[bounds[:-1][bounds[:-1] < len(tokens)]] = True
        firsts = np.flatnonzero(begins)
        texts: list[str] = []
        for (text, _, _), begins_word in zip(tokens, begins.tolist(), strict=True):
            if begins_word:
                texts.append(text)
            else:
                texts[-1] = f"{texts[-1]} {text}"
        starts = [tokens[i].start for i in firsts.tolist()]
        ends = [tokens[i].end for i in [*(firsts[1:] - 1).tolist(), len(tokens) - 1]]
        word_bounds = np.searchsorted(firsts, bounds)
        tags = self._pos.decode(_codes(texts, self._pos, self._pos_codes), word_bounds)
        tag_names = map(self._pos.labels.__getitem__, tags.tolist())
        label_names: Iterable[str] = repeat("O", len(texts))
        if labelled:
            labels = self._ner.decode(_codes(texts, self._ner, self._ner_codes), word_bounds, tags)
            label_names = map(self._ner.labels.__getitem__, labels.tolist())
        words = list(map(Word._make, zip(texts, starts, ends, tag_names, label_names, strict=True)))
        return [words[a:b] for a, b in pairwise(word_bounds.tolist())]


def _codes(texts: list[str], model: Compiled, cache: dict[str, int]) -> Ints:
    """Return the encoded texts, from the cache where it has them."""
    codes = list(map(cache.get, texts))
    if None in codes:
        if len(cache) + len(codes) > MAX_CACHED_WORDS:
            cache.clear()
        for i, code in enumerate(codes):
            if code is None:
                codes[i] = cache[texts[i]] = model.encode(texts[i])
    return np.array(codes, np.int64)


def _bounds(sentences: list[list[Token]]) -> Ints:
    return np.cumsum([0, *(len(s) for s in sentences)], dtype=np.int64)


def _segmenter_shape(token: str, dictionary: set[str]) -> int:
    """The shape as underthesea_core's featurizer sees it: any caseless first character is a title."""
    shape = TITLE if token[0] == token[0].upper() else 0
    if _INTEGER.fullmatch(token) and len(token) <= 64 and int(token) in _INTEGERS:
        shape |= DIGIT
    if token.lower() in dictionary:
        shape |= IN_DICT
    return shape


def _title(word: str) -> int:
    """The shape as underthesea's Python featurizer sees it: every part starts with a capital letter."""
    return TITLE if all(part and part[0].istitle() for part in word.split(" ")) else 0


def _package() -> Path:
    spec = find_spec("underthesea")
    if spec is None or not spec.submodule_search_locations:
        raise InfrastructureError("underthesea is not installed")
    root = Path(next(iter(spec.submodule_search_locations)))
    for name in (_SEGMENTER, _POS_MODEL, _NER_MODEL):
        if not (root / name).exists():
            raise InfrastructureError(f"the installed underthesea has no {name}")
    return root
