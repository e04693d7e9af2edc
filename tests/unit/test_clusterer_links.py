"""What links look at: the words and names that the centres of two stories have in common."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from services.clusterer.centre import centre_of
from services.clusterer.links import LINK_FEATURES, link_features
from services.clusterer.pool import together
from services.clusterer.profile import TEXT, Profile, profile_of
from services.clusterer.state import Exemplar
from services.clusterer.vectors import Vectorizer, load_background, to_text

VECTORIZER = Vectorizer(load_background("vi"))
FLOOD = "Nước sông Lam lên nhanh, xã Thanh Bình sơ tán hàng trăm hộ dân trong đêm"
RELIEF = "Hàng cứu trợ đã tới xã Thanh Bình sau lũ"
CHESS = "Kỳ thủ trẻ giành huy chương vàng giải cờ vua đồng đội"


def profile(text: str, names: dict[str, float], **fields: Any) -> Profile:
    exemplar: Exemplar = {
        "article_id": text,
        "title": text,
        "published_at": None,
        "names": [{"id": name, "weight": weight} for name, weight in names.items()],
        "numbers": [],
        "dates": [],
        "vector": to_text(VECTORIZER.vector(text, text, 50)),
        **fields,  # type: ignore[typeddict-item]
    }
    return profile_of(exemplar, VECTORIZER)


def features(mine: Profile, *others: Profile) -> list[dict[str, float]]:
    rare = VECTORIZER.rare(mine.ids[: mine.offsets[TEXT + 1]])
    rows = link_features(mine, rare, together(others), np.arange(len(others)))
    return [dict(zip(LINK_FEATURES, row, strict=True)) for row in rows.tolist()]


def test_names_count_by_the_smaller_of_their_weights():
    flood = profile(FLOOD, {"place:thanh-binh": 6.0, "place:song-lam": 4.0})
    passing, leading, none = features(
        flood,
        profile(RELIEF, {"place:thanh-binh": 2.5}),
        profile(RELIEF, {"place:thanh-binh": 9.0, "place:song-lam": 9.0}),
        profile(CHESS, {"person:an": 9.0}),
    )
    assert passing["names_shared"] == pytest.approx(math.log(0.1 + 2.5))
    assert leading["names_shared"] == pytest.approx(math.log(0.1 + 10.0))
    assert none["names_shared"] == pytest.approx(math.log(0.1))


def test_words_count_by_their_share_of_the_shorter_text():
    flood, relief, chess = (profile(text, {}) for text in (FLOOD, RELIEF, CHESS))
    itself, related, other = features(flood, flood, relief, chess)
    assert itself["words_shared"] == pytest.approx(math.log(1.02))
    assert other["words_shared"] < related["words_shared"] < itself["words_shared"]
    (back,) = features(relief, flood)
    assert back["words_shared"] == related["words_shared"]


def test_names_of_a_story_weigh_what_they_do_in_the_mean_of_its_articles():
    flood = profile(FLOOD, {"place:thanh-binh": 6.0})
    story = centre_of([flood, profile(RELIEF, {"place:thanh-binh": 2.0, "org:cuu-tro": 4.0})])
    seen = features(profile(CHESS, {"place:thanh-binh": 9.0, "org:cuu-tro": 9.0}), story)[0]
    assert seen["names_shared"] == pytest.approx(math.log(0.1 + 4.0 + 2.0))


def test_what_a_title_says_beside_names_is_found_in_the_other_text():
    flood = profile(FLOOD, {}, title_words="nước lên nhanh sơ tán hàng trăm hộ dân trong đêm")
    named, whole, happened, neither = features(
        flood,
        profile("Thanh Bình, làng bên sông Lam", {}, title_words="làng bên"),
        profile("Thanh Bình, làng bên sông Lam", {}),
        profile("Sơ tán hàng trăm hộ dân ở Đà Bắc", {}, title_words="sơ tán hàng trăm hộ dân ở"),
        profile(CHESS, {}),
    )
    assert happened["title_found"] > -0.5  # ln(0.02 + share): all of the second title but a word or two
    assert named["title_found"] < whole["title_found"]  # the names that both have do not count
    assert neither["title_found"] < -2
    (back,) = features(
        profile("Sơ tán hàng trăm hộ dân ở Đà Bắc", {}, title_words="sơ tán hàng trăm hộ dân ở"), flood
    )
    for way in ("title_found", "title_finds"):  # the larger and the smaller share, whoever asks
        assert back[way] == happened[way]
    assert happened["title_finds"] < happened["title_found"]


def test_a_place_is_shared_if_each_story_names_the_one_that_the_other_names_most():
    def seen(other: dict[str, float]) -> float:
        mine = profile(FLOOD, {"place:thanh-binh": 6.0, "vn-province:22": 4.0, "person:an": 9.0})
        (row,) = features(mine, profile(RELIEF, other))
        return row["place_shared"]

    assert seen({"place:thanh-binh": 2.0, "org:cuu-tro": 5.0}) == 1
    assert seen({"place:thanh-binh": 2.0, "vn-province:22": 5.0}) == 1
    assert seen({"place:thanh-binh": 2.0, "vn-province:36": 5.0}) == 0  # in the other story, elsewhere
    assert seen({"vn-province:22": 5.0}) == 0  # the same province, but not the same village
    assert seen({"person:an": 9.0}) == 0
    assert seen({}) == 0


@pytest.mark.parametrize(("days", "shared"), [(["5/3", "4/3"], 1), (["5/3"], 0), ([], 0)])
def test_a_common_day_speaks_for_a_link_and_other_days_do_not_speak_against(days: list[str], shared: int):
    (row,) = features(profile(FLOOD, {}, dates=["4/3"]), profile(RELIEF, {}, dates=days))
    assert row["dates_shared"] == shared
