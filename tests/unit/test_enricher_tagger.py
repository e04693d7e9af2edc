"""The tagger of names, what it sees, and how its names meet those of the rules."""

import gzip
import itertools
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from services.cli.quality.entities import TEST, Tally, fifth
from services.enricher import tagger as tagging
from services.enricher.enrich import Enricher
from services.enricher.gazetteer import Entry, Match
from services.enricher.merging import merge
from services.enricher.names import Span
from services.enricher.resolution import Named
from services.enricher.sentence import Sentence, Shape
from services.enricher.tagger import MODEL, Tagged, Tagger, spans_of
from services.enricher.tagger_features import BEYOND, TEMPLATES, Observed, rule_labels
from services.runtime.records import DeduplicatedArticle, EntityType

TEXT = (
    "Sáng 3/4, ông Trần Quốc Hậu, Giám đốc Sở Xây dựng tỉnh Ninh Bình, tiếp đoàn của hãng Nordvik. "
    "Trời mưa to từ sớm. Đội trưởng Lê Hoài An ghi bàn ở vòng loại Cúp Sông Hương 2023 tại Huế. "
    "Theo Reuters, Nga và Ukraine nối lại đàm phán. Hậu nói sẽ mời kỹ sư Elena Markovic sang Việt Nam."
)


@pytest.fixture(scope="module")
def enricher() -> Enricher:
    return Enricher()


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger()


def names(enricher: Enricher, text: str) -> dict[str, str]:
    article = cast(DeduplicatedArticle, {"article_id": "a", "title": "", "text": text, "language": "vi"})
    return {m["text"]: e["type"] for e in enricher.enrich(article)["entities"] for m in e["mentions"]}


def by_hand(path: Path, seen: Observed) -> list[str]:
    """Return the best labels by trying the model's weights label by label, without any table."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        labels = next(lines).rstrip("\n").split("\t")
        moves = [[int(x) for x in next(lines).split("\t")] for _ in labels]
        weights: dict[tuple[str, ...], dict[int, int]] = {}
        for line in lines:
            *attribute, packed = line.rstrip("\n").split("\t")
            pairs = (item.split(":") for item in packed.split(" "))
            weights[tuple(attribute)] = {int(label): int(weight) for label, weight in pairs}
    rows = seen.rows()
    scores = np.zeros((len(rows), len(labels)), np.int64)
    for at, number in itertools.product(range(len(rows)), range(len(TEMPLATES))):
        values = [rows[at + d][c] if 0 <= at + d < len(rows) else BEYOND for c, d in TEMPLATES[number]]
        for label, weight in weights.get((str(number), *values), {}).items():
            scores[at, label] += weight
    best: list[tuple[int, list[int]]] = [
        (int(scores[0, y]), [y]) for y in range(len(labels)) if labels[y][0] != "I"
    ]
    for at in range(1, len(rows)):
        best = [
            max(
                (
                    (score + moves[path[-1]][y] + int(scores[at, y]), [*path, y])
                    for score, path in best
                    if labels[y][0] != "I" or labels[path[-1]][1:] == labels[y][1:]
                ),
                key=lambda found: found[0],
            )
            for y in range(len(labels))
            if labels[y][0] != "I" or any(labels[p[-1]][1:] == labels[y][1:] for _, p in best)
        ]
    return [labels[y] for y in max(best, key=lambda found: found[0])[1]]


def test_the_compiled_decoder_finds_what_the_file_says(enricher: Enricher, tagger: Tagger) -> None:
    _, observed = enricher.observe("a", TEXT)
    compared = [
        (labels, by_hand(MODEL, seen))
        for labels, seen in zip(tagger.tag(observed), observed, strict=True)
        if seen.fixed
    ]
    assert len(compared) >= 4
    assert any(label != "O" for labels, _ in compared for label in labels)
    for labels, expected in compared:
        assert labels == expected


def test_labels_do_not_depend_on_what_was_read_before(
    enricher: Enricher, tagger: Tagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, observed = enricher.observe("a", TEXT)
    whole = tagger.tag(observed)
    assert [tagger.tag([seen])[0] for seen in reversed(observed)] == whole[::-1]
    monkeypatch.setattr(tagging, "MAX_CACHED_TOKENS", sum(seen.size for seen in observed) + 1)
    small = Tagger()
    other = enricher.observe("b", "Bà Đỗ Thu Hà thăm Đồng Tháp. " * 3)[1]
    for _ in range(3):
        assert small.tag(observed) == whole
        assert small.tag(other) == tagger.tag(other)


def test_no_name_begins_in_its_middle(enricher: Enricher, tagger: Tagger) -> None:
    for labels in tagger.tag(enricher.observe("a", TEXT)[1]):
        for before, label in itertools.pairwise(["O", *labels]):
            assert label[0] != "I" or before[1:] == label[1:]


def test_a_sentence_in_which_no_name_can_begin_is_spared(enricher: Enricher, tagger: Tagger) -> None:
    sentences, observed = enricher.observe("a", "Trời mưa to từ sớm. Bà Mai Lan ở Huế kể lại.")
    assert [seen.silent for seen in observed] == [True, False]
    assert tagger.tag(observed)[0] == ["O"] * len(sentences[0].tokens)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "…", "a" * 5000, "😀 😀", "1.1.1.1"])
def test_odd_texts_have_no_names(enricher: Enricher, text: str) -> None:
    assert names(enricher, text) == {}


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.gz"
    path.write_bytes(b"no model")
    with pytest.raises(OSError, match="gzip"):
        Tagger(path)


@pytest.mark.parametrize(
    ("labels", "spans"),
    [
        ([], []),
        (["O", "O"], []),
        (["B-PER", "I-PER", "O"], [(0, 2, "PER")]),
        (["B-PER", "B-PER"], [(0, 1, "PER"), (1, 2, "PER")]),
        (["O", "B-LOC"], [(1, 2, "LOC")]),
        (["B-ORG", "I-ORG", "B-LOC", "I-LOC"], [(0, 2, "ORG"), (2, 4, "LOC")]),
    ],
)
def test_spans_of_labels(labels: list[str], spans: list[tuple[int, int, str]]) -> None:
    assert spans_of(labels) == [Tagged(*span) for span in spans]


def test_names_that_only_the_tagger_knows_how_to_end(enricher: Enricher) -> None:
    found = names(enricher, TEXT)
    assert found["Trần Quốc Hậu"] == "PER"
    assert found["Sở Xây dựng tỉnh Ninh Bình"] == "ORG"
    assert found["Nordvik"] == "ORG"
    assert found["Elena Markovic"] == "PER"
    assert {found[name] for name in ("Nga", "Ukraine", "Việt Nam", "Huế")} == {"LOC"}


# -- merging

COUNTRY = Entry("country:RU", "LOC", "Nga")
AGENCY = Entry("org:reuters", "ORG", "Reuters")
MINISTRY = Entry("org:ministry-vn", "ORG", "Bộ")


def merged(
    tagged: list[Tagged],
    spans: list[Span],
    matches: dict[int, Match],
    *,
    headline: bool = False,
    sign: str = "bốn",
) -> list[Any]:
    words = ["một", "hai", "ba", sign]
    shapes = [Shape(word, False, False, word.isalpha(), True) for word in words]
    sentence = Sentence(0, [], shapes, words, headline, [], [], [])
    found = merge([sentence], [tagged], spans, [matches])
    return [(s.first, s.last, s.type, s.entry.id if s.entry else None, s.variant) for s in found]


def test_a_country_stays_where_the_tagger_sees_nothing() -> None:
    country = Span(0, 3, 4, "LOC", COUNTRY, False)
    assert merged([], [country], {}) == [(3, 4, "LOC", "country:RU", None)]
    assert merged([Tagged(3, 4, "ORG")], [country], {}) == [(3, 4, "LOC", "country:RU", None)]


def test_a_country_inside_a_longer_name_is_a_part_of_it() -> None:
    country = Span(0, 3, 4, "LOC", COUNTRY, False)
    assert merged([Tagged(1, 4, "ORG")], [country], {}) == [(1, 4, "ORG", None, None)]


def test_a_name_of_the_rules_alone_is_dropped() -> None:
    assert merged([], [Span(0, 0, 2, "PER", None, False)], {}) == []


def test_a_sign_at_the_end_is_no_part_of_a_name() -> None:
    assert merged([Tagged(2, 4, "ORG")], [], {}, sign="™") == [(2, 3, "ORG", None, None)]
    assert merged([Tagged(3, 4, "ORG")], [], {}, sign="™") == [(3, 4, "ORG", None, None)]


def test_a_line_of_capitals_is_left_to_the_rules() -> None:
    country = Span(0, 3, 4, "LOC", COUNTRY, False)
    assert merged([Tagged(0, 3, "MISC")], [country], {}, headline=True) == [(3, 4, "LOC", "country:RU", None)]


def test_two_known_names_are_not_glued_over_a_lost_break() -> None:
    spans = [Span(0, 0, 1, "ORG", AGENCY, False), Span(0, 3, 4, "LOC", COUNTRY, False)]
    assert merged([Tagged(0, 4, "ORG")], spans, {}) == [
        (0, 1, "ORG", "org:reuters", None),
        (3, 4, "LOC", "country:RU", None),
    ]


def test_a_tagged_name_has_the_identity_of_the_gazetteer() -> None:
    matches = {0: Match(0, 2, MINISTRY, ""), 2: Match(2, 3, COUNTRY, "")}
    assert merged([Tagged(0, 2, "ORG")], [], matches) == [(0, 2, "ORG", "org:ministry-vn", None)]
    assert merged([Tagged(0, 3, "ORG")], [], matches) == [(0, 3, "ORG", "org:ministry-vn", "RU")]
    assert merged([Tagged(0, 2, "PER")], [], matches) == [(0, 2, "PER", None, None)]


def test_labels_of_the_rules_stand_at_their_tokens(enricher: Enricher) -> None:
    text = "Mưa ở Huế. Ông Lê Hoài An đến Nga."
    sentences, _ = enricher.observe("a", text)
    named = [
        Named(text.index(form), text.index(form) + len(form), key, form, kind)
        for form, key, kind in (
            ("Huế", "geonames:1", "LOC"),
            ("Lê Hoài An", "person:an-hoai-le", "PER"),
            ("Nga", "country:RU", "LOC"),
        )
    ]
    assert rule_labels(sentences, named) == [
        ["O", "O", "B-LOCe", "O"],
        ["O", "B-PER", "I-PER", "I-PER", "O", "B-LOCe", "O"],
    ]


# -- scores


def test_scores_are_strict() -> None:
    tally = Tally()
    tally.add(
        [(0, 3, "PER"), (5, 9, "LOC"), (12, 15, "ORG")], [(0, 3, "PER"), (5, 8, "LOC"), (12, 15, "LOC")]
    )
    assert tally.scores(["PER"]) == (1.0, 1.0, 1.0)
    assert tally.scores(["LOC"]) == (0.0, 0.0, 0.0)
    assert tally.scores(["PER", "LOC", "ORG"]) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert tally.scores(["MISC"]) == (0.0, 0.0, 0.0)


def test_a_fifth_is_for_testing() -> None:
    share = sum(fifth(f"document-{i}") == TEST for i in range(2000)) / 2000
    assert 0.17 < share < 0.23


def test_a_person_the_rules_hold_in_a_schools_name_belongs_to_it() -> None:
    tagged = [Tagged(0, 1, "ORG"), Tagged(1, 4, "PER")]
    school = Span(0, 0, 4, "ORG", None, False)
    assert merged(tagged, [school], {}) == [(0, 4, "ORG", None, None)]
    office = [Span(0, 0, 1, "ORG", None, False), Span(0, 1, 4, "PER", None, False)]
    assert merged(tagged, office, {}) == [(0, 1, "ORG", None, None), (1, 4, "PER", None, None)]


def agreed(
    types: list[EntityType], name: str, *, vietnamese: bool, before: str = ",", entry: Entry | None = None
) -> list[str]:
    """Return the types of the same name in as many sentences, after they have been made to agree."""
    words = [before, *name.split()]
    shapes = [Shape(word, True, False, word.isalpha(), vietnamese) for word in words]
    sentences = [Sentence(n, [], shapes, words, False, [], [], []) for n in range(len(types))]
    listed = [Span(n, 1, len(words), kind, entry, False) for n, kind in enumerate(types)]
    tagged = [[Tagged(1, len(words), kind)] for kind in types]
    return [span.type for span in merge(sentences, tagged, listed, [{} for _ in types])]


def test_an_unknown_name_has_the_type_of_most_of_its_mentions() -> None:
    assert agreed(["ORG", "PER", "PER"], "nordvik", vietnamese=False) == ["PER", "PER", "PER"]
    assert agreed(["MISC", "PER", "PER"], "hoài an", vietnamese=True) == ["PER", "PER", "PER"]
    assert agreed(["LOC", "PER", "PER"], "hoài an", vietnamese=True) == ["PER", "PER", "PER"]
    assert agreed(["ORG", "PER"], "nordvik", vietnamese=False) == ["ORG", "PER"]


def test_streets_words_and_names_of_the_tables_keep_their_types() -> None:
    assert agreed(["LOC", "PER", "PER"], "hoài an", vietnamese=True, before="đường") == ["LOC", "PER", "PER"]
    assert agreed(["LOC", "PER", "PER"], "hương", vietnamese=True) == ["LOC", "PER", "PER"]
    club = Entry("org:x", "ORG", "X")
    assert agreed(["ORG", "LOC", "LOC"], "nordvik", vietnamese=False, entry=club)[0] == "ORG"


def test_an_abbreviation_in_brackets_is_the_organisations_before_it() -> None:
    words = ["hội", "tôm", "(", "vashri", ")", "vashri"]
    shapes = [Shape(w, w.isalpha(), w == "vashri", w.isalpha(), w != "vashri") for w in words]
    sentence = Sentence(0, [], shapes, words, False, [], [], [])
    tagged = [Tagged(0, 2, "ORG"), Tagged(3, 4, "LOC"), Tagged(5, 6, "LOC")]
    assert [s.type for s in merge([sentence], [tagged], [], [{}])] == ["ORG", "ORG", "ORG"]
    place = [Tagged(0, 2, "LOC"), Tagged(3, 4, "LOC"), Tagged(5, 6, "LOC")]
    assert [s.type for s in merge([sentence], [place], [], [{}])] == ["LOC", "LOC", "LOC"]
