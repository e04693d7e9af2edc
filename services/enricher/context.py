"""What stands around a token: titles before it, verbs after it, the run of capitals that it opens."""

from __future__ import annotations

from services.enricher.gazetteer import Match
from services.enricher.lexicon import Lexicon, Phrases, WordStatistics
from services.enricher.sentence import Sentence

MAX_RUN_TOKENS = 12
"""A longer run of capital words is a list or a headline, not a name."""
LONGEST_PERSON = 5
HYPHENS = frozenset("-–—")
SHORT_COUNTRIES = {
    "mỹ": "US", "nga": "RU", "trung": "CN", "triều": "KP", "hàn": "KR", "nhật": "JP", "việt": "VN",
    "anh": "GB", "pháp": "FR", "đức": "DE", "ấn": "IN", "thái": "TH", "đài": "TW", "lào": "LA", "úc": "AU",
    "ý": "IT",
}  # fmt: skip
"""How countries are called in pairs: Mỹ - Trung."""
_PLAIN = 0.25
"""A syllable with a smaller share of capital initials inside sentences is a common word."""


class Context:
    """One sentence with its known names. The scanner says how far it has come: `covered`, `titled`."""

    def __init__(
        self, lexicon: Lexicon, statistics: WordStatistics, sentence: Sentence, matches: dict[int, Match]
    ) -> None:
        self.lexicon = lexicon
        self.statistics = statistics
        self.sentence = sentence
        self.matches = matches
        self.covered = 0
        """No word before this token is free to be a title: names taken reach up to here."""
        self.place_until = -1
        """Where the last place taken ends."""
        self.titled = -1
        """The token that a title applies to, over the country or body named in between."""

    def run_end(self, first: int) -> int:
        """Return the end of the run of capital words that begins at `first`."""
        s = self.sentence
        at = first
        limit = min(len(s.keys), first + MAX_RUN_TOKENS + 1)
        while at < limit:
            shape = s.shapes[at]
            if at > first and self.breaks(at):
                break
            if shape.capital and shape.letter and (not s.ordinary[at] or at == first):
                at += 1
            elif (
                at > first
                and s.keys[at] in self.lexicon.name_particles
                and at + 1 < len(s.keys)
                and s.shapes[at + 1].capital
                and s.keys[at - 1].isascii()
                and not s.ordinary[at + 1]
            ):
                at += 2
            else:
                break
        return at

    def breaks(self, at: int) -> bool:
        """Return whether a run of capital words ends before this one.

        It does before a number or code, before a word that only opens sentences (a lost paragraph break),
        and where accented Vietnamese turns into a foreign word: no foreign name begins with such accents.
        """
        s = self.sentence
        shape, before = s.shapes[at], s.shapes[at - 1]
        if any(c.isdigit() for c in shape.key) or s.keys[at] in self.lexicon.openers:
            return True
        if s.keys[at] in ("ông", "bà") and at + 1 < len(s.keys) and s.shapes[at + 1].capital:
            return True
        if shape.vietnamese and not before.vietnamese and not shape.key.isascii():
            share = self.statistics.capital_share(s.tokens[at].text.lower())
            return share is not None and share < _PLAIN
        initial = len(shape.key) == 2 and shape.key.endswith(".")
        accented = before.vietnamese and not shape.vietnamese and not before.key.isascii() and not initial
        return shape.letter and accented and not self.phrase_before(at - 1, self.lexicon.place_heads)

    def word_end(self, at: int) -> int:
        """Return the end of the word that begins here with a capital: `Giáo dục` has two tokens."""
        s = self.sentence
        last = at + 1
        while (
            last < len(s.keys)
            and not s.starts[last]
            and not s.shapes[last].capital
            and s.shapes[last].letter
            and s.shapes[at].vietnamese
        ):
            last += 1
        if last == at + 1 < len(s.keys) and s.shapes[last].letter and not s.shapes[last].capital:
            # The segmenter may have cut the word: ask the word list.
            pair = f"{s.tokens[at].text} {s.tokens[last].text}".lower()
            if s.keys[last] not in self.lexicon.openers and self.statistics.knows(pair):
                last += 1
        return last

    def is_plain_word(self, at: int, end: int) -> bool:
        """Return whether a word at the opening of a sentence would be written small inside one."""
        s = self.sentence
        following = self.matches.get(at + 1)
        if following is not None and following.mark == "~":
            return False  # `Duy Anh` is a name, though `Duy` is mostly written small
        share = self.statistics.capital_share(s.tokens[at].text.lower())
        if share is None or share >= _PLAIN:
            return False
        return s.shapes[at + 1].vietnamese and not (
            s.keys[at] in self.lexicon.common_family_names and end - at >= 2
        )

    def is_full_name(self, keys: tuple[str, ...]) -> bool:
        """Return whether these syllables look like a Vietnamese family name with what follows it."""
        if not 2 <= len(keys) <= LONGEST_PERSON:
            return False
        if keys[0] in self.lexicon.common_family_names:
            return len(keys) > 2 or keys[0] != "hồ"
        return keys[0] in self.lexicon.family_names and len(keys) > 2 and keys[1] in self.lexicon.middle_names

    def title_before(self, first: int) -> bool:
        """Return whether an office, calling or word of address applies to the name that begins here."""
        return (
            self.titled == first
            or self.phrase_before(first, self.lexicon.titles)
            or self.phrase_before(first, self.lexicon.address)
        )

    def address_before(self, first: int) -> bool:
        """Return whether a word of address stands directly before: ông, chị."""
        return self.phrase_before(first, self.lexicon.address)

    def phrase_before(self, first: int, phrases: Phrases, *, small: bool = False) -> bool:
        """Return whether one of the phrases ends directly before this token and is no part of a word.

        With `small`, a phrase with a capital letter counts only where every word would have one.
        """
        s = self.sentence
        return any(
            s.starts[begin] and not (small and s.shapes[begin].capital and not s.opens(begin))
            for begin in phrases.before(s.keys, first, self.covered)
        )

    def verb_after(self, last: int) -> bool:
        """Return whether a verb of which only people are the subject follows, also after `đã`, `cũng`."""
        at = last
        keys = self.sentence.keys
        while (
            at < len(keys)
            and at - last < 2
            and keys[at] in ("đã", "cũng", "vừa", "từng", "còn", "liền", "lại")
        ):
            at += 1
        return self.lexicon.person_verbs.longest_at(self.sentence.keys, at) > at if at < len(keys) else False

    def apposition_after(self, last: int) -> bool:
        """Return whether a comma or bracket with an office, a year of birth or an age follows."""
        keys = self.sentence.keys
        if last + 1 >= len(keys) or keys[last] not in (",", "(", "-", "–"):
            return False
        return (
            self.lexicon.titles.longest_at(self.sentence.keys, last + 1) > last + 1
            or (keys[last] in (",", "(") and keys[last + 1] in ("sn", "sinh", "tuổi"))
            or (last + 2 < len(keys) and keys[last + 1].isdigit() and keys[last + 2] == "tuổi")
        )

    def listed(self, last: int) -> bool:
        """Return whether a comma, `và` or hyphen and another place follow."""
        s = self.sentence
        if last + 1 >= len(s.keys) or not (s.keys[last] in (",", "và") or s.keys[last] in HYPHENS):
            return False
        following = self.matches.get(last + 1)
        return following is not None and following.entry.type == "LOC"

    def paired(self, first: int, last: int) -> bool:
        """Return whether a hyphen joins this to another country: Mỹ - Trung."""
        for hyphen, other in ((first - 1, first - 2), (last, last + 1)):
            if not (0 <= other < len(self.sentence.keys) and hyphen >= 0):
                continue
            if self.sentence.keys[hyphen] not in HYPHENS or not self.sentence.shapes[other].capital:
                continue
            beyond = self.matches.get(other)
            if self.sentence.keys[other] in SHORT_COUNTRIES or (
                beyond is not None and beyond.entry.id.startswith("country:")
            ):
                return True
        return False
