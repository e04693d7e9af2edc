"""The word lists that the rules ask for, and the table of word frequencies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from services.runtime.text import unify_tone_marks

DATA = Path(__file__).parent / "data"


def key_of(text: str) -> str:
    """Return the form in which words are compared: one tone style, no case."""
    return unify_tone_marks(text).casefold()


class Phrases:
    """A set of phrases of a few words, asked for by place: what begins at a token, what ends before one."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases = frozenset(phrases)
        lengths: dict[str, set[int]] = {}
        self._end: dict[str, int] = {}
        for phrase in self._phrases:
            words = phrase.split(" ")
            lengths.setdefault(words[0], set()).add(len(words))
            self._end[words[-1]] = max(self._end.get(words[-1], 0), len(words))
        self._begin = {word: sorted(known, reverse=True) for word, known in lengths.items()}

    def __contains__(self, phrase: str) -> bool:
        return phrase in self._phrases

    def openers(self) -> list[str]:
        """Return the words that a phrase begins with, in order."""
        return sorted(self._begin)

    def longest_at(self, keys: list[str], first: int, end: int | None = None) -> int:
        """Return the index after the longest phrase that begins at keys[first], or `first` if none does."""
        if first >= len(keys):
            return first
        limit = len(keys) if end is None else end
        for length in self._begin.get(keys[first], ()):
            last = first + length
            if last <= limit and (length == 1 or " ".join(keys[first:last]) in self._phrases):
                return last
        return first

    def before(self, keys: list[str], first: int, lowest: int = 0) -> list[int]:
        """Return where the phrases begin that end directly before keys[first], not before `lowest`."""
        if first <= lowest:
            return []
        longest = self._end.get(keys[first - 1], 0)
        return [
            begin
            for begin in range(first - 1, max(first - longest, lowest) - 1, -1)
            if " ".join(keys[begin:first]) in self._phrases
        ]


class Lexicon:
    """The sections of lexicon.txt as sets of keys."""

    def __init__(self) -> None:
        sections = _sections((DATA / "lexicon.txt").read_text(encoding="utf-8"))
        self.lower_heads = Phrases(sections["lower_heads"])
        self.openers = sections["openers"]
        self.state_heads = Phrases(sections["state_heads"])
        self.address = Phrases(sections["address"])
        self.state_titles = Phrases(sections["state_titles"])
        self.titles = Phrases(sections["titles"])
        self.family_names = sections["family_names"]
        self.common_family_names = sections["common_family_names"]
        self.middle_names = sections["middle_names"]
        self.place_heads = Phrases(sections["place_heads"])
        self.place_prepositions = sections["place_prepositions"]
        self.organisation_heads = Phrases(sections["organisation_heads"])
        self.named_after_people = Phrases(sections["named_after_people"])
        self.organisation_words = Phrases(sections["organisation_words"])
        self.organisation_tails = sections["organisation_tails"]
        self.speech_verbs = Phrases(sections["speech_verbs"])
        self.person_verbs = Phrases(sections["person_verbs"] | sections["speech_verbs"])
        self.not_names = sections["not_names"]
        self.english_words = sections["english_words"]
        self.organisation_endings = sections["organisation_endings"]
        self.place_endings = sections["place_endings"]
        self.given_names = sections["given_names"]
        self.common_surnames = sections["common_surnames"]
        self.name_particles = sections["name_particles"]
        self.sport = sections["sport"]


def _sections(text: str) -> dict[str, frozenset[str]]:
    sections: dict[str, set[str]] = {}
    current: set[str] = set()
    for line in text.splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), set())
        elif line and not line.startswith("#"):
            current.update(key_of(entry.strip()) for entry in line.split(",") if entry.strip())
    return {name: frozenset(entries) for name, entries in sections.items()}


class WordStatistics:
    """How rare words are, and how often a syllable carries a capital letter inside sentences."""

    def __init__(self) -> None:
        self._idf: dict[str, float] = {}
        self._capital: dict[str, float] = {}
        with (DATA / "words.tsv").open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("#"):
                    continue
                word, idf, share = line.rstrip("\n").split("\t")
                self._idf[word] = int(idf) / 10
                if share:
                    self._capital[word] = int(share) / 100
        self.highest = max(self._idf.values())

    def idf(self, word: str) -> float:
        """Return the inverse document frequency of a lower-case word; unknown words are the rarest."""
        return self._idf.get(word, self.highest)

    def knows(self, word: str) -> bool:
        """Return whether the table holds this lower-case word."""
        return word in self._idf

    def capital_share(self, syllable: str) -> float | None:
        """Return the share of capital initials of a lower-case syllable, or None where it is unknown."""
        return self._capital.get(syllable)
