"""The enricher's pure function: a deduplicated article in, the same article with entities out."""

from __future__ import annotations

import math
import re
from pathlib import Path

from services.enricher.analyzer import Analyzer, Word
from services.enricher.gazetteer import Gazetteer, Match
from services.enricher.keywords import keywords, ranked
from services.enricher.lexicon import Lexicon, WordStatistics, key_of
from services.enricher.merging import merge
from services.enricher.names import Span
from services.enricher.quotes import QuoteFinder
from services.enricher.recognition import Recognizer
from services.enricher.resolution import Named, Resolver, names_of
from services.enricher.sentence import Sentence, Shapes, build
from services.enricher.tagger import MODEL, Tagger, spans_of
from services.enricher.tagger_features import Observed, Observer, rule_labels
from services.enricher.tokenizer import sentences
from services.runtime.records import (
    DeduplicatedArticle,
    EnrichedArticle,
    Entity,
    Keyword,
    Quote,
)

MAX_TEXT = 200_000
"""Characters of the text that are analysed; a longer text is a book or an attack."""
MAX_TITLE = 1_000
MAX_ENTITIES = 200
MAX_MENTIONS = 100
"""Per entity: the first ones are published."""
LANGUAGES = frozenset(["vi", "und"])
"""Where the Vietnamese rules hold. An undetermined text is most likely a short Vietnamese one."""

# Length-preserving, so that offsets stay true: segmented text uses underscores for spaces, lone surrogates
# are no characters, and the rest is invisible.
_REPLACED = {ord("_"): " ", 0xFEFF: " ", 0x200B: " ", 0x200C: " ", 0x200D: " ", 0x00AD: " "}
_REPLACED |= dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_REPLACED |= {c: " " for c in range(0x20) if chr(c) not in "\t\n\r"}
_ODD = re.compile("[_\x00-\x08\x0b\x0c\x0e-\x1f\xad\u200b-\u200d\ufeff\ud800-\udfff]")
_FOREIGN_WORD = re.compile(r"[^\W\d_]{4,40}")

# Salience: how often, how early, and whether in the title; adds up to 1.
_FREQUENCY, _EARLINESS, _TITLE = 0.5, 0.3, 0.2


class Enricher:
    """Holds the models and tables; loading takes some seconds and includes the warm-up.

    `model` is the tagger's file; None leaves the names to the rules alone.
    """

    def __init__(self, model: Path | None = MODEL) -> None:
        self._analyzer = Analyzer()
        self._shapes = Shapes()
        self._statistics = WordStatistics()
        lexicon = Lexicon()
        gazetteer = Gazetteer(self._analyzer.tokenizer, self._shapes)
        self._recognizer = Recognizer(lexicon, self._statistics, gazetteer)
        self._resolver = Resolver(lexicon, self._statistics, gazetteer)
        self._observer = Observer(lexicon, self._statistics)
        self._tagger = None if model is None else Tagger(model)
        self._quotes = QuoteFinder(lexicon)

    def enrich(self, article: DeduplicatedArticle) -> EnrichedArticle:
        """Return the article with entities, keywords and quotes. Pure and deterministic; any text will do."""
        text = _plain(article["text"][:MAX_TEXT])
        title = _plain(article["title"][:MAX_TITLE])
        vietnamese = article["language"] in LANGUAGES
        body, body_words, heading, heading_words = self._read(text, title)
        key = article["article_id"]
        if vietnamese:
            mentions = self._names(key, text, body, body_words)
            in_title = {m.id for m in self._names(key, title, heading, heading_words)}
        else:
            mentions, in_title = self._countries(key, text, body), set()
        terms: list[Keyword]
        quotes: list[Quote]
        if vietnamese:
            terms = keywords((w for s in heading_words for w in s), body_words, self._statistics)
            quotes = self._quotes.find(text, mentions)
        else:
            terms = _foreign_keywords(title, text)
            quotes = []
        return {
            **article,
            "entities": _entities(article["text"], mentions, in_title),
            "keywords": terms,
            "quotes": quotes,
        }

    def observe(self, key: str, text: str) -> tuple[list[Sentence], list[Observed]]:
        """Return the sentences of a text and what the tagger sees of their tokens: what it is trained on."""
        body, words, _, _ = self._read(_plain(text[:MAX_TEXT]), "")
        return body, self._observed(key, text, body, words)[2]

    def _read(
        self, text: str, title: str
    ) -> tuple[list[Sentence], list[list[Word]], list[Sentence], list[list[Word]]]:
        """Return sentences and words of the text, then of the title (tagged in one pass)."""
        body = self._analyzer.tokenize(text, list(sentences(text)))
        heading = self._analyzer.tokenize(title, list(sentences(title)))
        words = self._analyzer.tag(body + heading, labelled=False)
        count = len(body)
        return (
            [build(i, body[i], words[i], self._shapes) for i in range(count)],
            words[:count],
            [build(i, heading[i], words[count + i], self._shapes) for i in range(len(heading))],
            words[count:],
        )

    def _names(self, key: str, text: str, sentences: list[Sentence], words: list[list[Word]]) -> list[Named]:
        """Return the names of a text: the rules find them, the tagger decides, identities are resolved."""
        if self._tagger is None:
            spans, runs, _ = self._recognizer.recognize(sentences)
            return self._resolver.resolve(key, text, sentences, spans, runs)
        spans, matches, observed = self._observed(key, text, sentences, words)
        tagged = [spans_of(labels) for labels in self._tagger.tag(observed)]
        return self._resolver.resolve(key, text, sentences, merge(sentences, tagged, spans, matches), [])

    def _observed(
        self, key: str, text: str, sentences: list[Sentence], words: list[list[Word]]
    ) -> tuple[list[Span], list[dict[int, Match]], list[Observed]]:
        """Return the names by the rules, the forms of the gazetteer, and what the tagger sees."""
        spans, runs, matches = self._recognizer.recognize(sentences)
        named = self._resolver.resolve(key, text, sentences, spans, runs)
        observed = self._observer.observe(sentences, words, matches, rule_labels(sentences, named))
        return spans, matches, observed

    def _countries(self, key: str, text: str, sentences: list[Sentence]) -> list[Named]:
        """Return the countries alone: all that the rules can tell in another language."""
        spans, _, _ = self._recognizer.recognize(sentences)
        known = [s for s in spans if s.entry is not None and s.entry.id.startswith("country:")]
        return self._resolver.resolve(key, text, sentences, known, [])


def _plain(text: str) -> str:
    return text.translate(_REPLACED) if _ODD.search(text) else text


def _entities(text: str, mentions: list[Named], in_title: set[str]) -> list[Entity]:
    """Group the mentions by identity, most salient first, then by id."""
    best = names_of(mentions)
    grouped: dict[str, list[Named]] = {}
    for mention in mentions:
        grouped.setdefault(mention.id, []).append(mention)
    most = max((len(g) for g in grouped.values()), default=1)
    length = max(len(text), 1)
    entities: list[Entity] = []
    for key, group in grouped.items():
        frequency = math.log1p(len(group)) / math.log1p(most)
        salience = (
            _FREQUENCY * frequency + _EARLINESS * (1 - group[0].start / length) + _TITLE * (key in in_title)
        )
        entities.append(
            {
                "id": key,
                "name": best[key].name,
                "type": best[key].type,
                "salience": round(salience, 4),
                "mentions": [
                    {"start": m.start, "end": m.end, "text": text[m.start : m.end]}
                    for m in group[:MAX_MENTIONS]
                ],
            }
        )
    entities.sort(key=lambda e: (-e["salience"], e["id"]))
    return entities[:MAX_ENTITIES]


def _foreign_keywords(title: str, text: str) -> list[Keyword]:
    """Return the most frequent words of four letters and more: all that can be said of any language."""
    counts: dict[str, float] = {}
    for source, weight in ((title, 3.0), (text, 1.0)):
        for match in _FOREIGN_WORD.finditer(source):
            term = key_of(match[0])
            counts[term] = counts.get(term, 0.0) + weight
    return ranked([(count, term) for term, count in counts.items()])
