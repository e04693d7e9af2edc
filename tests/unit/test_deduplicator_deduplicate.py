"""Who is a copy of whom, what is a new version, and that state is nothing but the published records."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import random
from collections.abc import Iterable
from typing import Any, cast

import pytest

import services.deduplicator
from services.cli.quality.edits import Text, edited, sentence
from services.deduplicator.app import STAGE
from services.deduplicator.deduplicate import Deduplicator, warm_up
from services.runtime.errors import InvalidMessage
from services.runtime.records import CleanArticle, DeduplicatedArticle
from services.runtime.text import comparable

DAY = 86_400

BRIDGE = (
    "Rạng sáng nay, cây cầu gỗ bắc qua suối Nậm Lúc bị nước cuốn trôi sau trận mưa kéo dài từ chiều qua. "
    "Hai bản ở phía bên kia suối với gần trăm hộ dân tạm thời không có đường ra trung tâm xã. "
    "Trưởng bản Lù A Páo kể rằng nước lên rất nhanh, chỉ trong nửa giờ đã ngập hết bãi đá dưới chân cầu. "
    "Không ai bị thương vì mọi người đã được báo trước để lên chỗ cao. "
    "Ngay trong buổi sáng, xã cử dân quân căng dây, đưa gạo và mì gói sang bằng bè nứa. "
    "Học sinh hai bản được nghỉ học đến hết tuần, thầy cô gửi bài tập qua điện thoại của các gia đình. "
    "Theo lãnh đạo xã, một cây cầu treo mới đã có trong kế hoạch từ năm ngoái nhưng chưa bố trí được vốn. "
    "Trước mắt, xã sẽ dựng lại cầu tạm bằng cọc tre và ván xẻ, dự kiến xong trước mùa gặt. "
    "Người dân mong có đường an toàn để bọn trẻ không phải lội suối mỗi khi trời trở gió."
)
MARKET = (
    "Khu chợ cũ giữa phố cổ vừa mở cửa trở lại sau nửa năm sửa chữa, đông khách ngay từ phiên đầu tiên. "
    "Các dãy hàng được xếp lại theo ngành, lối đi rộng hơn và có mái che nắng bằng ngói đất nung. "
    "Bà Tám Lành, bán bánh ở đây đã ba mươi năm, cho biết khách quen tìm đến từ lúc trời chưa sáng. "
    "Ban quản lý hứa giữ nguyên giá thuê chỗ trong hai năm để tiểu thương yên tâm buôn bán. "
    "Một góc chợ dành cho thợ thủ công biểu diễn đan lát, nặn tò he và in tranh trên giấy dó. "
    "Vào cuối tuần, chợ sẽ mở thêm phiên đêm với món ăn của nhiều vùng miền. "
    "Nhiều người trẻ mang máy ảnh đến, mong giữ lại hình ảnh ngôi chợ mà ông bà từng kể. "
    "Chủ tịch phường nói rác được thu gom bốn lần mỗi ngày và không xe máy nào được vào bên trong."
)


def article(
    article_id: str, text: str, title: str = "Một tiêu đề", at: int = 0, **fields: Any
) -> CleanArticle:
    """Return a clean article received `at` seconds after the start of the test."""
    hours, rest = divmod(at, 3600)
    days, hours = divmod(hours, 24)
    received = f"2026-03-{1 + days:02}T{hours:02}:{rest // 60:02}:{rest % 60:02}Z"
    record = {
        "article_id": article_id,
        "edition": "vi",
        "url": None,
        "canonical_url": None,
        "source": "Báo Thử",
        "title": title,
        "lead": "",
        "text": text,
        "language": "vi",
        "published_at": received,
        "published_precision": "second",
        "modified_at": None,
        "received_at": received,
        "status": "usable",
        "derived": [],
        "content_hash": hashlib.sha256(comparable(text).encode()).hexdigest(),
        "authors": [],
        "categories": [],
        "tags": [],
        "image_url": None,
        "extra": {},
    }
    return cast(CleanArticle, record | fields)


def feed(deduplicator: Deduplicator, *articles: CleanArticle) -> list[DeduplicatedArticle]:
    """Decide and apply each article; return what was published."""
    published = []
    for one in articles:
        for record in deduplicator.decide(one):
            deduplicator.apply(record)
            published.append(record)
    return published


def filler(count: int, start: int = 0, step: int = 60) -> list[CleanArticle]:
    """Return unrelated articles, `step` seconds apart."""
    articles = []
    for i in range(count):
        rng = random.Random(i)
        words = [
            f"{rng.choice('bcdghklmnpqrstvx')}{rng.choice('aeiou')}{rng.randrange(90)}x" for _ in range(80)
        ]
        articles.append(article(f"filler-{i}", " ".join(words), f"Tin {i}", start + i * step))
    return articles


def verdict(records: Iterable[DeduplicatedArticle]) -> tuple[str, str | None]:
    (record,) = records
    return record["duplicate"]["kind"], record["duplicate"]["of"]


def test_a_new_article_is_published_unchanged_with_version_and_signature() -> None:
    one = article("a", BRIDGE)
    (record,) = Deduplicator().decide(one)
    assert {key: record[key] for key in one} == one  # type: ignore[literal-required]
    assert record["version"] == 1
    assert record["duplicate"] == {
        "kind": "none",
        "of": None,
        "similarity": None,
        "differs": [],
        "closest": None,
        "series": None,
    }
    assert 0 < len(record["signature"]) < 450


def test_deciding_changes_nothing() -> None:
    deduplicator = Deduplicator()
    one = article("a", BRIDGE)
    assert deduplicator.decide(one) == deduplicator.decide(one)
    assert deduplicator.entries == 0
    assert deduplicator.decide(article("b", BRIDGE))[0]["duplicate"]["kind"] == "none"


def test_the_same_text_elsewhere_is_an_exact_copy() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE, "Cầu gỗ bị cuốn trôi"))
    (copy,) = feed(deduplicator, article("b", BRIDGE.upper(), "[Ảnh] Cầu gỗ bị cuốn trôi", 60))
    assert copy["duplicate"] == {
        "kind": "exact",
        "of": "a",
        "similarity": {"jaccard": 1.0, "containment": 1.0},
        "differs": ["title"],
        "closest": None,
        "series": None,
    }


@pytest.mark.parametrize(
    ("edit", "differs"),
    [
        ("cut to 60 %", ["tail"]),
        ("cut to a third", ["tail"]),
        ("new lead", ["lead"]),
        ("5 % of words edited", []),
        ("diacritics stripped", []),
        ("boilerplate around", ["added_text"]),
        ("new title, agency line", ["added_text", "title"]),
    ],
)
def test_a_near_copy_says_of_whom_how_similar_and_what_differs(edit: str, differs: list[str]) -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE, "Cầu gỗ bị cuốn trôi"), article("m", MARKET, "Chợ cũ mở lại", 5))
    text = edited(edit, Text("Cầu gỗ bị cuốn trôi", BRIDGE), "x", MARKET)
    (copy,) = feed(deduplicator, article("b", text.body, text.title, 60))
    duplicate = copy["duplicate"]
    assert (duplicate["kind"], duplicate["of"]) == ("near", "a")
    assert duplicate["differs"] == differs
    assert duplicate["similarity"] is not None
    assert 0.2 < duplicate["similarity"]["jaccard"] <= duplicate["similarity"]["containment"] <= 1


def test_similarity_is_close_to_the_exact_one() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE + " " + MARKET))
    (copy,) = feed(deduplicator, article("b", BRIDGE, at=60))

    def shingles(text: str) -> set[tuple[str, ...]]:
        words = comparable(text).split()
        return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}

    whole, part = shingles(BRIDGE + " " + MARKET), shingles(BRIDGE)
    similarity = copy["duplicate"]["similarity"]
    assert similarity is not None
    assert similarity["containment"] == pytest.approx(1.0, abs=0.02)
    assert similarity["jaccard"] == pytest.approx(len(part & whole) / len(part | whole), abs=0.03)


def test_a_copy_of_a_copy_names_the_original_and_the_one_that_was_copied() -> None:
    deduplicator = Deduplicator()
    longer = BRIDGE + " " + " ".join(sentence(random.Random(i)) for i in range(2))
    feed(deduplicator, article("a", BRIDGE), article("b", longer, at=60))
    (copy,) = feed(deduplicator, article("c", longer + " Ảnh: Tư liệu", at=120))
    assert (copy["duplicate"]["kind"], copy["duplicate"]["of"]) == ("near", "a")
    assert copy["duplicate"]["closest"] is not None
    assert copy["duplicate"]["closest"]["article_id"] == "b"


def test_an_exact_copy_of_a_near_copy_is_a_near_copy_of_the_original() -> None:
    deduplicator = Deduplicator()
    part = BRIDGE[: len(BRIDGE) * 2 // 3]
    feed(deduplicator, article("a", BRIDGE), article("b", part, at=60))
    (copy,) = feed(deduplicator, article("c", part, "Tựa khác", 120))
    assert (copy["duplicate"]["kind"], copy["duplicate"]["of"]) == ("near", "a")


def test_the_earliest_original_by_decision_counts_not_by_publication() -> None:
    deduplicator = Deduplicator()
    late = article("a", BRIDGE, at=120)
    early = article("b", BRIDGE, at=180, published_at="1999-01-01T00:00:00Z")
    feed(deduplicator, late, early)
    assert verdict(feed(deduplicator, article("c", BRIDGE, at=240))) == ("exact", "a")


def test_a_live_update_is_none_and_names_what_it_builds_on() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE, "Cầu gỗ bị cuốn trôi"))
    (update,) = feed(deduplicator, article("b", MARKET + "\n" + BRIDGE, "Tin thêm", 60))
    assert update["duplicate"]["kind"] == "none"
    assert update["duplicate"]["closest"] is not None
    assert update["duplicate"]["closest"]["article_id"] == "a"
    assert update["duplicate"]["closest"]["similarity"]["containment"] > 0.95


def test_two_articles_that_share_a_long_quote_are_not_copies() -> None:
    deduplicator = Deduplicator()
    quote = " ".join(BRIDGE.split()[30:90])
    own = " ".join(sentence(random.Random(i)) for i in range(6))
    feed(deduplicator, article("a", BRIDGE))
    (other,) = feed(deduplicator, article("b", f"{MARKET} “{quote}” {own}", at=60))
    assert other["duplicate"]["kind"] == "none"


def test_a_title_alone_never_makes_a_copy() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE, "Cùng một tựa đề dài hẳn hoi"))
    other = article("b", MARKET, "Cùng một tựa đề dài hẳn hoi", 60)
    assert verdict(feed(deduplicator, other)) == ("none", None)


@pytest.mark.parametrize("text", ["Mời bạn đọc xem đoạn phim ghi lại sự việc.", "", "...", "12 34 56 78"])
def test_short_texts_need_the_same_title_to_be_copies(text: str) -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", text, "Chó biết bơi"), article("b", text, "Cháy ở xưởng gỗ", 60))
    expected = ("exact", "a") if comparable(text) else ("none", None)
    assert verdict(feed(deduplicator, article("c", text, "Mưa đá ở vùng cao", 120))) == ("none", None)
    assert verdict(feed(deduplicator, article("d", text, "CHÓ BIẾT BƠI!", 180))) == expected


def test_boilerplate_that_many_sites_articles_share_makes_no_copy() -> None:
    deduplicator = Deduplicator()
    standing = " ".join(sentence(random.Random(1000 + i)) for i in range(4))
    shorts = []
    for i in range(24):
        rng = random.Random(i)
        own = " ".join(
            f"{rng.choice('bcdghklmnt')}{rng.choice('aeou')}{rng.randrange(99)}z" for _ in range(30)
        )
        shorts.append(article(f"s{i}", f"{own}. {standing}", own[:40], i * 60))
    kinds = [record["duplicate"]["kind"] for record in feed(deduplicator, *shorts)]
    assert kinds == ["none"] * 24
    copy = article("copy", shorts[20]["text"] + " Theo Báo Thử", shorts[20]["title"], 2000)
    assert verdict(feed(deduplicator, copy)) == ("near", "s20")


def test_editions_never_match_each_other() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE))
    assert verdict(feed(deduplicator, article("b", BRIDGE, at=60, edition="en"))) == ("none", None)
    assert verdict(feed(deduplicator, article("a", BRIDGE, at=60, edition="en"))) == ("exact", "b")
    assert deduplicator.entries == 3


# Versions


def test_a_replay_changes_nothing() -> None:
    deduplicator = Deduplicator()
    one = article("a", BRIDGE)
    feed(deduplicator, one)
    assert deduplicator.decide(one) == []
    assert deduplicator.decide(article("a", BRIDGE.upper(), at=500, source="Khác")) == []


def test_an_old_version_delivered_once_more_changes_nothing_but_a_return_to_it_does() -> None:
    deduplicator = Deduplicator()
    first, second = article("a", BRIDGE), article("a", MARKET, at=60)
    feed(deduplicator, first, second)
    assert deduplicator.decide(first) == []
    assert deduplicator.decide(second) == []
    (back,) = deduplicator.decide(article("a", BRIDGE, at=120))
    assert back["version"] == 3


@pytest.mark.parametrize("same", ["article_id", "canonical_url"])
def test_an_edited_article_is_a_new_version_under_its_first_id_and_no_copy_of_itself(same: str) -> None:
    deduplicator = Deduplicator()
    url = "https://bao.example/cau-go"
    feed(deduplicator, article("a", BRIDGE, canonical_url=url))
    new_id = "a" if same == "article_id" else "b"
    new_url = url if same == "canonical_url" else None
    (edit,) = feed(deduplicator, article(new_id, BRIDGE + " Tin sửa.", at=60, canonical_url=new_url))
    assert (edit["article_id"], edit["version"]) == ("a", 2)
    assert (edit["duplicate"]["kind"], edit["duplicate"]["of"]) == ("none", None)
    assert deduplicator.decide(article(new_id, BRIDGE + " Tin sửa.", at=90, canonical_url=new_url)) == []


def test_a_new_title_alone_is_a_new_version() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE, "Tựa cũ"))
    (edit,) = feed(deduplicator, article("a", BRIDGE, "Tựa mới", 60))
    assert (edit["version"], edit["duplicate"]["kind"]) == (2, "none")


def test_an_edited_original_stays_one_even_when_it_now_equals_its_copy() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE), article("b", BRIDGE + " Theo báo bạn.", at=60))
    (edit,) = feed(deduplicator, article("a", BRIDGE + " Theo báo bạn.", at=120))
    assert (edit["version"], edit["duplicate"]["kind"]) == (2, "none")
    assert verdict(feed(deduplicator, article("c", BRIDGE, at=180))) == ("near", "a")


def test_an_edited_copy_stays_a_copy_unless_it_now_differs() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE), article("b", BRIDGE, at=60))
    (edit,) = feed(deduplicator, article("b", BRIDGE + " Theo báo bạn.", at=120))
    assert (edit["version"], edit["duplicate"]["kind"], edit["duplicate"]["of"]) == (2, "near", "a")
    (edit,) = feed(deduplicator, article("b", MARKET, at=180))
    assert (edit["version"], edit["duplicate"]["kind"], edit["duplicate"]["of"]) == (3, "none", None)
    assert verdict(feed(deduplicator, article("c", MARKET, at=240))) == ("exact", "b")


def test_an_earlier_version_is_no_longer_matched() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE), article("a", MARKET, at=60))
    assert verdict(feed(deduplicator, article("b", BRIDGE, at=120))) == ("none", None)
    assert verdict(feed(deduplicator, article("c", MARKET, at=180))) == ("exact", "a")


def test_a_copy_of_what_the_original_used_to_say_is_still_its_copy() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE), article("b", BRIDGE, at=60), article("a", MARKET, at=120))
    assert verdict(feed(deduplicator, article("c", BRIDGE + " Theo b.", at=180))) == ("near", "a")


def test_the_home_page_as_address_does_not_make_one_article_of_a_site() -> None:
    deduplicator = Deduplicator()
    home = "https://bao.example"
    feed(deduplicator, article("a", BRIDGE, canonical_url=home))
    (other,) = feed(deduplicator, article("b", MARKET, at=60, canonical_url=home))
    assert (other["article_id"], other["version"]) == ("b", 1)


# Withdrawals


def withdrawal(article_id: str, at: int, **fields: Any) -> CleanArticle:
    return article(article_id, "", "", at, status="withdrawn", **fields)


def test_a_withdrawal_is_a_new_version_and_copies_find_the_next_earliest() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE), article("b", BRIDGE, at=60), article("c", BRIDGE, at=90))
    (gone,) = feed(deduplicator, withdrawal("a", 120))
    assert (gone["status"], gone["version"], gone["duplicate"]["kind"]) == ("withdrawn", 2, "none")
    assert gone["signature"] == ""
    assert deduplicator.decide(withdrawal("a", 150)) == []
    (copy,) = feed(deduplicator, article("d", BRIDGE + " Theo báo bạn.", at=180))
    assert copy["duplicate"]["of"] == "b"
    (copy,) = feed(deduplicator, article("e", BRIDGE + " Theo báo bạn.", at=240))
    assert copy["duplicate"]["of"] == "b"


def test_what_is_withdrawn_by_address_is_known_by_its_first_id() -> None:
    deduplicator = Deduplicator()
    url = "https://bao.example/cau-go"
    feed(deduplicator, article("a", BRIDGE, canonical_url=url))
    (gone,) = feed(deduplicator, withdrawal("x", 60, canonical_url=url))
    assert (gone["article_id"], gone["version"]) == ("a", 2)
    assert deduplicator.decide(withdrawal("x", 90, canonical_url=url)) == []


def test_a_withdrawal_of_an_unknown_article_is_passed_on() -> None:
    deduplicator = Deduplicator()
    (gone,) = feed(deduplicator, withdrawal("a", 0))
    assert (gone["version"], gone["status"]) == (1, "withdrawn")
    (back,) = feed(deduplicator, article("a", BRIDGE, at=60))
    assert (back["version"], back["duplicate"]["kind"]) == (2, "none")


def test_a_withdrawn_original_that_comes_back_is_no_copy_of_its_copies() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE), article("b", BRIDGE, at=60), withdrawal("a", 120))
    feed(deduplicator, article("c", BRIDGE + " Theo b.", at=150))
    (back,) = feed(deduplicator, article("a", BRIDGE, "Đăng lại", 180))
    assert (back["version"], back["duplicate"]["kind"]) == (3, "none")
    assert verdict(feed(deduplicator, article("d", BRIDGE + " Theo a.", at=240))) == ("near", "a")


# Time


def test_articles_expire_with_the_window() -> None:
    deduplicator = Deduplicator(window_s=2 * DAY)
    feed(deduplicator, article("a", BRIDGE))
    feed(deduplicator, *filler(10, 6 * 3600, 5 * 3600))
    assert verdict(feed(deduplicator, article("b", BRIDGE, at=2 * DAY))) == ("exact", "a")
    feed(deduplicator, *filler(20, 2 * DAY, 5 * 3600))
    assert deduplicator.entries < 25


def test_the_window_is_a_week_or_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert STAGE.new_state().window_s == 7 * DAY  # type: ignore[attr-defined]
    monkeypatch.setenv("MACHTIN_COPIES_WINDOW_H", "48")
    assert STAGE.new_state().window_s == 2 * DAY  # type: ignore[attr-defined]


def test_a_copy_whose_original_has_expired_still_names_it() -> None:
    deduplicator = Deduplicator(window_s=DAY)
    feed(deduplicator, article("a", BRIDGE), article("b", BRIDGE, at=20 * 3600))
    feed(deduplicator, *filler(8, 20 * 3600, 3600 * 2))
    (copy,) = feed(deduplicator, article("c", BRIDGE, at=38 * 3600))
    assert (copy["duplicate"]["kind"], copy["duplicate"]["of"]) == ("near", "a")


def test_one_article_from_the_far_future_expires_nothing() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE), *filler(3, 60))
    feed(deduplicator, article("f", MARKET, received_at="2099-01-01T00:00:00Z"))
    assert verdict(feed(deduplicator, article("b", BRIDGE, at=3600))) == ("exact", "a")


def test_an_absurd_first_date_is_got_over() -> None:
    deduplicator = Deduplicator(window_s=DAY)
    feed(deduplicator, article("f", MARKET, received_at="2099-01-01T00:00:00Z"))
    feed(deduplicator, *filler(60, 0, 3600))
    feed(deduplicator, *filler(60, 60 * 3600, 3600))
    assert deduplicator.entries < 60


# State is the output


def stream(count: int = 220) -> list[CleanArticle]:
    """Return originals, copies, edits, withdrawals, replays and odd dates, mixed."""
    rng = random.Random(5)
    articles: list[CleanArticle] = []
    for i in range(count):
        pick = rng.random()
        usable = [one for one in articles if one["status"] == "usable"]
        at = i * 2400
        if pick < 0.45 or not usable:
            body = " ".join(sentence(random.Random(i * 100 + j)) for j in range(9))
            articles.append(article(f"a{i}", body, f"Tin số {i}", at))
            continue
        other = rng.choice(usable)
        text = Text(other["title"], other["text"])
        if pick < 0.7:
            name = rng.choice(("cut to 60 %", "5 % of words edited", "new lead", "same text", "live update"))
            copy = edited(name, text, str(i), MARKET)
            articles.append(article(f"c{i}", copy.body, copy.title, at))
        elif pick < 0.8:
            articles.append(
                article(other["article_id"], other["text"] + f" Sửa lần {i}.", other["title"], at)
            )
        elif pick < 0.88:
            articles.append(withdrawal(other["article_id"], at))
        elif pick < 0.95:
            articles.append(other)
        else:
            far = rng.choice(("1971-01-01T00:00:00Z", "2088-01-01T00:00:00Z"))
            articles.append(article(f"t{i}", sentence(rng) * 5, f"Lạ {i}", at, received_at=far))
    return articles


def test_going_on_from_a_rebuilt_index_gives_the_same_bytes_at_every_cut() -> None:
    articles = stream()
    running, published = Deduplicator(window_s=DAY), []
    for one in articles:
        rebuilt = Deduplicator(window_s=DAY)
        for line in published:
            rebuilt.apply(json.loads(line))
        records = running.decide(one)
        assert json.dumps(rebuilt.decide(one)) == json.dumps(records)
        for record in records:
            running.apply(record)
            published.append(json.dumps(record))
    kinds = {json.loads(line)["duplicate"]["kind"] for line in published}
    assert kinds == {"none", "exact", "near"}


def test_going_on_from_a_rebuilt_index_to_the_end_gives_the_same_bytes() -> None:
    articles = stream()
    whole = feed(Deduplicator(window_s=DAY), *articles)
    for cut in (0, 1, 50, 110, 200):
        before = feed(Deduplicator(window_s=DAY), *articles[:cut])
        rebuilt = Deduplicator(window_s=DAY)
        for record in before:
            rebuilt.apply(json.loads(json.dumps(record)))
        after = feed(rebuilt, *articles[cut:])
        assert json.dumps(before + after) == json.dumps(whole)


def test_applying_a_record_again_changes_nothing() -> None:
    articles = stream()
    once, twice = Deduplicator(window_s=DAY), Deduplicator(window_s=DAY)
    previous = None
    for one in articles:
        records = once.decide(one)
        assert json.dumps(twice.decide(one)) == json.dumps(records)
        for record in records:
            once.apply(record)
            twice.apply(record)
            twice.apply(record)
            if previous is not None:
                twice.apply(previous)
            previous = record
    assert twice.entries == once.entries


def test_input_delivered_again_from_the_middle_publishes_nothing_twice() -> None:
    articles = [one for one in stream() if one["received_at"].startswith("2026")]
    deduplicator = Deduplicator()
    feed(deduplicator, *articles)
    entries = deduplicator.entries
    assert feed(deduplicator, *articles[-60:]) == []
    assert deduplicator.entries == entries


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("signature", "not base64!"),
        ("signature", "AAAA"),
        ("signature", "A" * 4000),
        ("received_at", "yesterday"),
        ("received_at", "2026-13-01T00:00:00Z"),
    ],
)
def test_a_record_that_is_none_of_ours_is_refused_and_changes_nothing(field: str, value: str) -> None:
    deduplicator = Deduplicator()
    (record,) = deduplicator.decide(article("a", BRIDGE))
    with pytest.raises(InvalidMessage):
        deduplicator.apply(cast(DeduplicatedArticle, {**record, field: value}))
    assert deduplicator.entries == 0
    assert verdict(feed(deduplicator, article("b", BRIDGE))) == ("none", None)


def test_warming_up_compiles_every_function_that_a_stream_needs() -> None:
    modules = [
        importlib.import_module(f"services.deduplicator.{module.name}")
        for module in pkgutil.iter_modules(services.deduplicator.__path__)
    ]
    warm_up()
    compiled = {
        name: function
        for module in modules
        for name, function in vars(module).items()
        if hasattr(function, "signatures")
    }
    assert compiled
    before = {name: len(function.signatures) for name, function in compiled.items()}
    feed(Deduplicator(window_s=DAY), *stream())
    feed(Deduplicator(window_s=DAY), *filler(600, step=1))  # enough that tables grow
    assert {name: len(function.signatures) for name, function in compiled.items()} == before


def test_figures_of_a_new_lead_make_no_other_issue() -> None:
    deduplicator = Deduplicator()
    head, rest = BRIDGE.split(". ", 1)
    feed(deduplicator, article("a", f"Rạng sáng ngày 5/3, {head}. {rest} {MARKET}", "Cầu gỗ bị cuốn trôi"))
    lead = "Ban biên tập nhận được tin lúc 22 giờ ngày 9/3, khi 14 phóng viên đang họp về số báo 218."
    assert verdict(
        feed(deduplicator, article("b", f"{lead} {rest} {MARKET}", "Cầu gỗ bị cuốn trôi", 60))
    ) == ("near", "a")


def test_a_title_with_another_number_is_another_issue() -> None:
    deduplicator = Deduplicator()
    (first, second) = feed(
        deduplicator,
        article("a", BRIDGE, "Bản tin miền núi số 41"),
        article("b", BRIDGE.replace("sáng nay", "sớm nay"), "Bản tin miền núi số 42", 60),
    )
    assert first["duplicate"]["series"] is None
    assert second["duplicate"]["kind"] == "none"
    assert second["duplicate"]["series"] is not None


def test_a_live_update_under_the_same_title_is_none() -> None:
    deduplicator = Deduplicator()
    feed(deduplicator, article("a", BRIDGE, "Cầu gỗ bị cuốn trôi"))
    (update,) = feed(deduplicator, article("b", MARKET + "\n" + BRIDGE, "Cầu gỗ bị cuốn trôi", 60))
    assert update["duplicate"]["kind"] == "none"
    assert update["duplicate"]["closest"] is not None
    assert update["duplicate"]["closest"]["article_id"] == "a"


def test_memory_is_stated() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.memory_bytes == 0
    feed(deduplicator, *filler(500, step=1))
    assert deduplicator.entries == 500
    assert 200 * 500 < deduplicator.memory_bytes < 900 * 500
