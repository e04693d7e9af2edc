"""One pass over a sentence: names with heads, names known, and runs of capital words."""

from __future__ import annotations

from services.enricher.acceptance import accepts, splits
from services.enricher.context import HYPHENS, LONGEST_PERSON, MAX_RUN_TOKENS, SHORT_COUNTRIES, Context
from services.enricher.gazetteer import Entry, Match
from services.enricher.names import Run, Span
from services.enricher.voting import vote
from services.runtime.records import EntityType
from services.runtime.text import fold

_ADMINISTRATIVE = frozenset(
    ["tỉnh", "huyện", "quận", "xã", "phường", "tp", "tp.", "thị", "thành", "khu", "vùng", "miền"]
)
_NUMBERED = frozenset(["quận", "phường", "khu", "tổ", "ấp", "thôn", "q.", "p."])
_NUMBERED_BODIES = frozenset(
    [
        "bệnh viện",
        "bv",
        "trường",
        "quân khu",
        "sư đoàn",
        "trung đoàn",
        "lữ đoàn",
        "tiểu đoàn",
        "đội",
        "nhà máy",
    ]
)
_ROADS = frozenset(["đường", "phố", "ngõ", "hẻm", "phường", "quận", "huyện", "xã", "cầu", "chợ", "thôn"])
"""After these a word like Trường or Đoàn is a name's first, as in đường Trường Chinh."""
_GENERIC = "-vn"
_LONGEST_TAIL = 4
_UNSPELLED = 2
"""Words of a name that its abbreviation may leave out."""
_DOUBTFUL_HEADS = frozenset(
    ["đội", "nhóm", "ban", "vụ", "hãng", "phòng", "đoàn", "hội", "trường", "viện", "báo", "đài"]
)
"""At the opening of a sentence these are common words as often as heads of a name."""


def _is_initial(key: str) -> bool:
    return len(key) == 2 and key.endswith(".")


class Scanner:
    """Takes the names of one sentence, from left to right, into `spans` and `runs`."""

    def __init__(
        self, context: Context, entries: dict[str, Entry], spans: list[Span], runs: list[Run]
    ) -> None:
        self._c = context
        self._lexicon = context.lexicon
        self._entries = entries
        self._s = context.sentence
        self._matches = context.matches
        self._spans = spans
        self._runs = runs

    def scan(self) -> None:
        """Take every name of the sentence, from left to right."""
        s = self._s
        after = 0
        for at, shape in enumerate(s.shapes):
            if at >= after and (shape.capital or at in self._matches or s.keys[at] in _NUMBERED):
                after = self._step(at)

    def _step(self, at: int) -> int:
        """Take what begins at this token and return the index after it (or `at`: nothing does)."""
        shape = self._s.shapes[at]
        match = self._matches.get(at)
        organisation = self._organisation(at) if shape.capital and not self._s.headline else at
        if match is not None and match.entry.type in ("ORG", "MISC"):
            local = match.last < len(self._s.keys) and self._s.keys[match.last] in _ADMINISTRATIVE
            if not (local and organisation > match.last):
                return self._known_organisation(match)
        if organisation > at:
            self._emit(at, organisation, "ORG", self._bare(at, organisation))
            self._after_title(at, organisation)
            return organisation
        if match is not None and accepts(self._c, match):
            return self._known(match)
        place = self._headed_place(at)
        if place > at:
            return place
        if shape.capital and not self._s.headline:
            return self._run(at)
        return at

    def _known(self, match: Match) -> int:
        titled = self._c.title_before(match.first)
        self._emit(match.first, match.last, match.entry.type, match.entry, titled=titled)
        if titled and match.entry.type != "PER":
            self._c.titled = match.last
        return match.last

    def _known_organisation(self, match: Match) -> int:
        """Take a known organisation; a common body of state takes the country that follows into its name."""
        if match.entry.id.endswith(_GENERIC):
            country = self._matches.get(match.last)
            if country and country.entry.id.startswith("country:") and accepts(self._c, country):
                code = country.entry.id.partition(":")[2]
                self._emit(match.first, country.last, "ORG", match.entry, variant=code)
                self._after_title(match.first, country.last)
                return country.last
        self._emit(match.first, match.last, match.entry.type, match.entry)
        self._after_title(match.first, match.last)
        return match.last

    def _after_title(self, first: int, last: int) -> None:
        if self._c.title_before(first):
            self._c.titled = last

    def _organisation(self, first: int) -> int:
        """Return the end of an organisation's name that begins here with its head, or `first`."""
        s = self._s
        head = self._lexicon.organisation_heads.longest_at(self._s.keys, first)
        if head == first:
            return first
        if first and s.keys[first - 1] in _ROADS and not s.shapes[first - 1].capital:
            return first
        single = head == first + 1 and s.keys[first] in self._lexicon.common_family_names
        if single and self._c.run_end(first) > head + 1:
            return first
        phrase = " ".join(s.keys[first:head])
        doubtful = phrase in _DOUBTFUL_HEADS and s.opens(first) and head < len(s.keys)
        if doubtful and not (s.shapes[head].upper or self._c.word_end(head) > head + 1):
            return first
        named_after = phrase in self._lexicon.named_after_people
        state = phrase in self._lexicon.state_heads
        last = head
        at = head
        content = False
        placed = False
        while at < len(s.keys) and at - first < 2 * MAX_RUN_TOKENS and not placed:
            shape = s.shapes[at]
            match = self._matches.get(at)
            if match is not None and match.entry.type == "LOC" and shape.capital and match.mark != "~":
                last = at = match.last
                placed = content = True
            elif shape.capital and shape.letter and s.keys[at] not in self._lexicon.openers:
                if state and not shape.vietnamese and (match is None or match.entry.type == "PER"):
                    break
                if content and not named_after and self._starts_person(at):
                    break
                if at > first and s.keys[at - 1] in _ADMINISTRATIVE:
                    at = self._c.run_end(at)
                    placed = True
                elif match is not None and match.entry.id.startswith("country:") and accepts(self._c, match):
                    at = match.last
                    placed = True
                else:
                    at = self._c.word_end(at)
                last = at
                content = True
            elif (
                s.keys[at] == "và"
                and self._lexicon.organisation_heads.longest_at(self._s.keys, at + 1) > at + 1
            ):
                break
            elif s.keys[at] in self._lexicon.organisation_words or self._organisation_phrase(at) > at:
                at = max(self._organisation_phrase(at), at + 1)
            elif s.keys[at].isdigit() and len(s.keys[at]) < 4 and phrase in _NUMBERED_BODIES:
                last = at = at + 1
                content = True
            else:
                break
        if not content:
            return first
        if (
            placed
            and last + 1 < len(s.keys)
            and s.keys[last] in HYPHENS
            and s.keys[last + 1] in SHORT_COUNTRIES
        ):
            last += 2
        if self._c.title_before(first):
            last = self._without_person(head, last)
        while " ".join(s.keys[last : last + 2]) in self._lexicon.organisation_tails:
            last += 2
        return self._until_abbreviation(first, last)

    def _bare(self, first: int, last: int) -> Entry | None:
        """Return the known organisation that a name is but for its head: CLB Real Madrid."""
        head = self._lexicon.organisation_heads.longest_at(self._s.keys, first)
        match = self._matches.get(head)
        if " ".join(self._s.keys[first:head]) not in self._lexicon.lower_heads:
            return None
        return match.entry if match and match.last == last and match.entry.type == "ORG" else None

    def _without_person(self, head: int, last: int) -> int:
        """Leave the last two of three foreign words to the person: Chủ tịch Tập đoàn Sakai Hitoshi Kato."""
        foreign = last
        while foreign > head and not self._s.shapes[foreign - 1].vietnamese:
            foreign -= 1
        return last - 2 if last - foreign > 2 else last

    def _until_abbreviation(self, first: int, last: int) -> int:
        """Extend a name over small words up to `(ABC)`, if these are the initials of nearly all its words."""
        s = self._s
        at = last
        while at < len(s.keys) and at - last <= _LONGEST_TAIL and s.shapes[at].letter:
            at += 1
        if at == last or at + 2 >= len(s.keys) or s.keys[at] != "(" or s.keys[at + 2] != ")":
            return last
        short = fold(s.tokens[at + 1].text)
        initials = "".join(fold(key)[:1] for key in s.keys[first:at])
        rest = iter(initials)
        fits = all(letter in rest for letter in short) and len(initials) - len(short) <= _UNSPELLED
        return at if s.shapes[at + 1].upper and fits else last

    def _organisation_phrase(self, at: int) -> int:
        return self._lexicon.organisation_words.longest_at(self._s.keys, at)

    def _starts_person(self, at: int) -> bool:
        s = self._s
        end = self._c.run_end(at)
        if s.keys[at] in self._lexicon.common_family_names and end - at >= 3:
            return True
        return s.keys[at] in self._lexicon.given_names and end - at >= 2 and not s.shapes[at].vietnamese

    def _headed_place(self, at: int) -> int:
        """Take a place that begins with its head, as in `Quận 1`, `phường 7`, `Sông Hương`."""
        s = self._s
        head = self._lexicon.place_heads.longest_at(s.keys, at)
        if head == at and s.keys[at] in _NUMBERED:
            head = at + 1
        if head == at or head >= len(s.keys):
            return at
        if s.keys[head].isdigit() and len(s.keys[head]) <= 2 and s.keys[at] in _NUMBERED:
            self._emit(at, head + 1, "LOC")
            return head + 1
        if not s.shapes[at].capital or s.headline or not s.shapes[head].capital or s.ordinary[head]:
            return at
        match = self._matches.get(head)
        end = match.last if match is not None and match.entry.type == "LOC" else self._c.run_end(head)
        if end - head > LONGEST_PERSON or (end - at > 2 and self._c.is_full_name(tuple(s.keys[at:end]))):
            return at
        entry = match.entry if match is not None and match.entry.type == "LOC" and end == match.last else None
        self._emit(at, end, "LOC", entry)
        return end

    def _run(self, first: int) -> int:
        """Take a run of capital words that no table knows and vote on its type; return where it ends."""
        s = self._s
        if s.ordinary[first] and not (
            self._c.address_before(first) and self._lexicon.titles.longest_at(self._s.keys, first) == first
        ):
            return first + 1
        if any(c.isdigit() for c in s.keys[first]):
            return first + 1
        pair = self._country_pair(first)
        if pair > first:
            return pair
        end = self._c.run_end(first)
        if self._lexicon.titles.longest_at(s.keys, first) > end:
            return end
        start, titled = self._without_titles(first, end)
        if first < start < end and start in self._matches:
            self._c.titled = start if titled else self._c.titled
            return start
        for at in range(start + 1, end):
            match = self._matches.get(at)
            if match is not None and match.entry.type != "PER" and splits(self._c, start, at, match):
                end = at
                break
        for at in range(start + 1, end - 1):
            whole = tuple(s.keys[start:end])
            long = end - at > 2 or all(shape.upper for shape in s.shapes[start:at])
            if long and s.keys[at] in self._lexicon.common_family_names and not self._c.is_full_name(whole):
                end = at
                break
        anonymous = end - start > 2 and s.keys[start] in self._lexicon.common_family_names
        while end - start > 1 and not anonymous and _is_initial(s.keys[end - 1]):
            end -= 1
        if end - first > MAX_RUN_TOKENS:
            return end
        if start < end:
            vote(self._c, self._runs, start, end, titled=titled)
        return max(end, first + 1)

    def _without_titles(self, first: int, end: int) -> tuple[int, bool]:
        """Return where the name in a run begins, and whether a title stands before it."""
        s = self._s
        titled = self._c.title_before(first)
        headed = self._c.phrase_before(first, self._lexicon.place_heads)
        start = first
        opening = s.opens(first)
        while start < end:
            title = max(
                self._lexicon.titles.longest_at(s.keys, start, end - 1),
                self._lexicon.address.longest_at(s.keys, start, end - 1),
            )
            if title > start:
                start, titled, opening = title, True, False
            elif (
                s.keys[start] in self._lexicon.not_names
                and self._stands_apart(start, end)
                and not self._c.is_full_name(tuple(s.keys[start:end]))
                and not titled
                and not (headed and end - start > 1)
                and not (end - start >= 3 and s.keys[start] in self._lexicon.common_family_names)
            ) or (opening and start + 1 < end and self._c.is_plain_word(start, end)):
                start, opening = start + 1, False
            else:
                break
        return start, titled

    def _stands_apart(self, at: int, end: int) -> bool:
        """Return whether a word that starts no name is none here: unlike `New` in New Scientist."""
        s = self._s
        if at + 1 == end:
            return True
        following = self._matches.get(at + 1)
        if following is not None and following.mark == "~" and s.keys[at] in ("nam", "hà", "mai", "kim"):
            return False
        return s.shapes[at].vietnamese or s.shapes[at].upper or s.shapes[at + 1].vietnamese

    def _country_pair(self, first: int) -> int:
        """Take a short name as in `Việt - Nga`; return the end, or `first`."""
        s = self._s
        key = s.keys[first]
        if (
            key in SHORT_COUNTRIES
            and self._c.run_end(first) == first + 1
            and self._c.paired(first, first + 1)
        ):
            self._emit(first, first + 1, "LOC", self._entries.get(f"country:{SHORT_COUNTRIES[key]}"))
            return first + 1
        return first

    def _emit(
        self,
        first: int,
        last: int,
        kind: EntityType,
        entry: Entry | None = None,
        *,
        titled: bool = False,
        variant: str | None = None,
    ) -> None:
        self._c.covered = last
        if kind == "LOC":
            self._c.place_until = last
        self._spans.append(Span(self._s.number, first, last, kind, entry, titled, variant))
