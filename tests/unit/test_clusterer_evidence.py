"""What tells siblings apart: the names that only one of two titles has, and the first day named."""

from __future__ import annotations

import numpy as np
import pytest

from services.clusterer.evidence import FEATURES, UNKNOWN, Compared, compare
from services.clusterer.pool import together
from services.clusterer.profile import TEXT, profile_of
from services.clusterer.state import Exemplar
from services.clusterer.vectors import Vectorizer, load_background, to_text

VECTORIZER = Vectorizer(load_background("vi"))


def exemplar(title: str, days: list[str], names: list[tuple[str, bool]]) -> Exemplar:
    listed = [{"id": name, "weight": 5.0} | ({"in_title": True} if titled else {}) for name, titled in names]
    return {
        "article_id": title,
        "title": title,
        "published_at": None,
        "names": listed,  # type: ignore[typeddict-item]
        "numbers": [],
        "dates": days,
        "vector": to_text(VECTORIZER.vector(title, title, 50)),
    }


def seen(article: Exemplar, *story: Exemplar) -> dict[str, float]:
    profile = profile_of(article, VECTORIZER)
    members = np.arange(len(story))
    compared = Compared(
        together(profile_of(one, VECTORIZER) for one in story),
        members,
        np.array([0, len(story)]),
        np.full((1, 3), UNKNOWN),
        np.array([len(story)]),
        np.array([0.5]),
    )
    rare = VECTORIZER.rare(profile.ids[: profile.offsets[TEXT + 1]])
    return dict(zip(FEATURES, compare(profile, rare, UNKNOWN, compared).values[0], strict=True))


SEMIFINAL = exemplar(
    "Đội Sông Vàng thắng đội Núi Bạc ở bán kết", ["4/3"], [("org:vang", True), ("org:bac", True)]
)
REVIEW = exemplar("Dư âm trận bán kết của đội Sông Vàng", ["5/3", "4/3"], [("org:vang", True)])


def test_a_title_of_names_that_the_story_does_not_know():
    final = exemplar(
        "Đội Sông Vàng hạ đội Biển Xanh, vô địch", ["8/3"], [("org:vang", True), ("org:xanh", True)]
    )
    values = seen(final, SEMIFINAL, REVIEW)
    assert values["title_names_unknown"] == pytest.approx(0.5)  # Biển Xanh
    assert values["title_names_missed"] == pytest.approx(0.25)  # Núi Bạc, in one of two titles


def test_a_title_is_found_by_what_it_says_beside_names():
    spoken = exemplar("Đội Sông Vàng thưởng lớn", [], []) | {"title_words": "thưởng lớn"}  # type: ignore[operator]
    assert seen(spoken, SEMIFINAL)["title_found_best"] == 0  # "đội Sông Vàng" is in both
    again = exemplar("Đội Sông Vàng vào bán kết", [], []) | {"title_words": "bán kết"}  # type: ignore[operator]
    assert seen(again, SEMIFINAL)["title_found_best"] == pytest.approx(1.0)


def test_names_in_the_text_count_as_known_but_are_no_names_of_the_title():
    other = exemplar("Khán đài chật kín", ["4/3"], [("org:vang", False), ("org:bac", False)])
    values = seen(other, SEMIFINAL)
    assert values["title_names_unknown"] == 0
    assert values["title_names_missed"] == 0


@pytest.mark.parametrize(
    ("days", "same", "differs", "shared", "none_shared"),
    [
        (["4/3"], 0.5, 0.0, 1.0, 0.0),  # first of the one story's first article, named later by the other
        (["8/3", "4/3"], 0.0, 0.5, 1.0, 0.0),  # names the first one's first day, not the second one's
        (["8/3"], 0.0, 1.0, 0.0, 1.0),
        ([], 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_the_first_day_named(days, same, differs, shared, none_shared):
    values = seen(exemplar("Đội Sông Vàng thi đấu", days, []), SEMIFINAL, REVIEW)
    found = [values[n] for n in ("first_day_same", "first_day_differs", "dates_shared", "dates_differ")]
    assert found == pytest.approx([same, differs, shared, none_shared])
