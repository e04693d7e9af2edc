"""What links look at: the words and names that the centres of two stories have in common."""

from __future__ import annotations

import math

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


def profile(text: str, names: dict[str, float]) -> Profile:
    exemplar: Exemplar = {
        "article_id": text,
        "title": text,
        "published_at": None,
        "names": [{"id": name, "weight": weight} for name, weight in names.items()],
        "numbers": [],
        "dates": [],
        "vector": to_text(VECTORIZER.vector(text, text, 50)),
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
