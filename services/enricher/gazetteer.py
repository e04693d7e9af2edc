"""The gazetteer: known names and the places where they stand in a sentence.

data/gazetteer.tsv holds one entry a line: id, type, name, forms separated by `|`. A form may carry a mark:
`~` counts only in a context that speaks for it, `^` only in an article about sport, `+` only after a title.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple, cast

from services.enricher.lexicon import DATA
from services.enricher.sentence import Sentence, Shapes, split_pairs
from services.enricher.tokenizer import Tokenizer
from services.runtime.records import EntityType

_LONGEST_ABBREVIATION = 6


class Entry(NamedTuple):
    """One known identity."""

    id: str
    type: EntityType
    name: str


class Form(NamedTuple):
    """One way to write an entry, as tokens."""

    keys: tuple[str, ...]
    capitals: tuple[bool, ...]
    exact: str | None
    """An abbreviation is only itself in exactly this case: WHO, IS, AP."""
    entry: Entry
    mark: str


class Match(NamedTuple):
    """A form found at tokens[first:last] of a sentence."""

    first: int
    last: int
    entry: Entry
    mark: str


class Gazetteer:
    """All forms by the keys of their first two tokens, longest first.

    A token with a small letter can only begin the forms that begin with one.
    """

    def __init__(self, tokenizer: Tokenizer, shapes: Shapes) -> None:
        self._capital: dict[str, dict[str, list[Form]]] = {}
        self._small: dict[str, dict[str, list[Form]]] = {}
        self.entries: dict[str, Entry] = {}
        self._people: list[tuple[Entry, str]] = []
        with (DATA / "gazetteer.tsv").open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("#"):
                    continue
                key, kind, name, forms = line.rstrip("\n").split("\t")
                entry = Entry(key, cast(EntityType, kind), name)
                self.entries[key] = entry
                for text in forms.split("|"):
                    mark = text[0] if text[0] in "~^+" else ""
                    bare = text[len(mark) :]
                    tokens = shapes.of_all(split_pairs(tokenizer.tokens(bare, 0, len(bare))))
                    form = Form(
                        tuple(t.key for t in tokens),
                        tuple(t.capital for t in tokens),
                        bare
                        if bare.isupper() and len(bare) <= _LONGEST_ABBREVIATION and len(tokens) == 1
                        else None,
                        entry,
                        mark,
                    )
                    for table in (self._capital,) if form.capitals[0] else (self._capital, self._small):
                        second = form.keys[1] if len(form.keys) > 1 else ""
                        table.setdefault(form.keys[0], {}).setdefault(second, []).append(form)
                    if entry.type == "PER" and not mark:
                        self._people.append((entry, bare))
        for by_second in [*self._capital.values(), *self._small.values()]:
            for same in by_second.values():
                same.sort(key=lambda f: (-len(f.keys), f.mark != "^", f.entry.id))

    def find(self, sentence: Sentence, *, sport: bool) -> dict[int, Match]:
        """Return the longest match at every token where one begins, by the index of that token."""
        found: dict[int, Match] = {}
        keys, shapes, capital, small = sentence.keys, sentence.shapes, self._capital, self._small
        for at, key in enumerate(keys):
            table = capital if shapes[at].capital else small
            if key not in table:
                continue
            by_second = table[key]
            second = keys[at + 1] if at + 1 < len(keys) else ""
            for form in chain(by_second.get(second, ()), by_second.get("", ()) if second else ()):
                last = at + len(form.keys)
                if (form.mark != "^" or sport) and self._fits(form, sentence, at, last):
                    found[at] = Match(at, last, form.entry, form.mark)
                    break
        return found

    def people(self) -> Iterator[tuple[Entry, str]]:
        """Yield every form of a person that stands for them without a title."""
        yield from self._people

    @staticmethod
    def _fits(form: Form, sentence: Sentence, first: int, last: int) -> bool:
        if last > len(sentence.keys):
            return False
        if form.exact is not None:
            return sentence.tokens[first].text == form.exact
        for i, (key, capital) in enumerate(zip(form.keys, form.capitals, strict=True), first):
            if sentence.keys[i] != key or (capital and not sentence.shapes[i].capital):
                return False
        return True
