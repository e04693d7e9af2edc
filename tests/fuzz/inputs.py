"""Input that breaks naive code: bytes that are no article, articles that no newspaper writes, and floods.

Everything follows from a seed: the same seed gives the same bytes.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.demo_corpus import LINES

LIMIT = 1_048_576
"""What the normalizer takes; larger messages go to the dead letters."""
KEPT = 500
"""Earlier articles that edits, copies and withdrawals choose from."""

ODD_STRINGS = (
    *(
        "",
        " ",
        "\x00",
        "\x00" * 50,
        "\ufeff",
        "\u200b" * 40,
        "\u202e đảo ngược \u202c",
        "\ud800",
        "x\udfff\ud800",
    ),
    *("None", "null", "NaN", "Infinity", "-0", "1e999", "true", "undefined", "[]", "{}", "../../etc/passwd"),
    *(
        "<script>alert(1)</script>",
        "&lt;img src=x onerror=alert(1)&gt;",
        "<!--",
        "]]>",
        "<![CDATA[",
        "<p" * 300,
    ),
    *("[red]", "[/]", "[link=http://a]", "\x1b[2J\x1b]0;x\x07", "%s%n%x", "{0}", "${jndi:ldap://a}", "'; --"),
    *("e" + "\u0301" * 500, "Ａ" * 60, "𝕏" * 60, "ﷺ" * 60, "👩‍👩‍👧‍👦" * 40, "İ" * 60, "ß" * 60, "ﬃ" * 60),
    *(
        "a." * 400,
        "1." * 400,
        "-" * 900,
        "_" * 900,
        "“" * 300,
        "A" * 900,
        "(" * 400,
        "…" * 300,
        "http://" * 90,
    ),
    *(
        "java\nscript:alert(1)",
        "http://[::1",
        "http://a:99999/",
        "//",
        "http://" + "a" * 3000,
        "file:///etc/passwd",
    ),
)
ODD_VALUES = (
    *(None, True, False, 0, -1, 1, 0.1, -0.0, 1e308, 2**63, -(2**63), 2**64, 10**30, 10**300),
    *([], {}, [[]], [None], [{}], {"": ""}, {"a": {"b": {"c": []}}}, ["a"] * 300, [1, "a", None, {}]),
)
ODD_DATES = (
    *(
        "0001-01-01T00:00:00Z",
        "0000-00-00",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-23:59",
        "2099-01-01",
    ),
    *("1969-12-31T23:59:59Z", "1900-02-29", "2026-02-30", "2026-13-01", "24:60", "2026-03-02T25:61:61Z"),
    *(
        "2026-03-02T07:05:00+99:99",
        "0001-01-01T00:00:00+14:00",
        "10000-01-01",
        "-0001-01-01",
        "1e12",
        "٢٠٢٦-٠٣-٠٢",
    ),
    *(
        0,
        -1,
        1e12,
        1e18,
        -1e18,
        253402300799,
        253402300800,
        -62135596800,
        "Thứ hai, 02/03/2026",
        "32/13/2026",
    ),
)
FIELDS = (
    *("article_id", "url", "title", "summary", "text", "source", "published_at", "modified_at", "crawled_at"),
    *(
        "language",
        "authors",
        "categories",
        "tags",
        "image_url",
        "status",
        "extra",
        "maintext",
        "source-hostname",
    ),
)
LANGUAGES = ("vi", "en", "vi-VN", "xx", "tiếng Việt", "")


class Input(NamedTuple):
    """One raw message, and what it tries."""

    kind: str
    value: bytes


class Fuzzer:
    """Makes raw messages from a seed, one after another; later ones refer to earlier ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        corpus = [json.loads(line) for line in LINES if line.startswith(b"{") and is_json(line)]
        self._corpus = [article for article in corpus if isinstance(article.get("text"), str)]
        self._sentences = [s for article in self._corpus for s in article["text"].split(". ") if s]
        self._words = sorted({word for sentence in self._sentences for word in sentence.split()})
        self._earlier: list[dict[str, Any]] = []
        self._number = 0
        self._second = 0
        self._kinds: tuple[tuple[Callable[[], bytes], int], ...] = (
            (self.garbage, 8),
            (self.truncated, 8),
            (self.mutated_bytes, 12),
            (self.deep, 2),
            (self.repeated_keys, 4),
            (self.wrong_types, 12),
            (self.odd_strings, 12),
            (self.odd_dates, 8),
            (self.salad, 10),
            (self.flood_of_one_source, 6),
            (self.copy, 6),
            (self.edit_or_withdrawal, 6),
            (self.colliding, 3),
            (self.hostile_markup, 3),
        )

    def inputs(self, count: int) -> Iterator[Input]:
        """Yield `count` messages; one in a thousand is near the limit in size, one in 50,000 has 50 MB."""
        makers = [maker for maker, _ in self._kinds]
        weights = [weight for _, weight in self._kinds]
        for number in range(count):
            if number % 50_000 == 25_000:
                yield Input("50 MB", self._enormous())
            elif number % 1_000 == 500:
                kind, value = self._near_the_limit()
                yield Input(f"near the limit: {kind}", value)
            else:
                (maker,) = self._random.choices(makers, weights)
                yield Input(maker.__name__, maker())

    # What is no article.

    def garbage(self) -> bytes:
        return self._random.randbytes(self._random.randrange(200))

    def truncated(self) -> bytes:
        line = self._random.choice(LINES)
        return line[: self._random.randrange(len(line) + 1)]

    def mutated_bytes(self) -> bytes:
        line = bytearray(self._random.choice(LINES))
        for _ in range(self._random.randrange(1, 8)):
            at = self._random.randrange(len(line))
            match self._random.randrange(4):
                case 0:
                    line[at] ^= 1 << self._random.randrange(8)
                case 1:
                    line[at:at] = self._random.randbytes(self._random.randrange(1, 9))
                case 2:
                    del line[at : at + self._random.randrange(1, 40)]
                case _:
                    other = self._random.choice(LINES)
                    line[at:at] = other[self._random.randrange(len(other)) :][:80]
            line = line or bytearray(b"{")
        return bytes(line)

    def deep(self) -> bytes:
        levels = self._random.choice((10, 31, 32, 33, 254, 255, 1023, 1024, 1025, 20_000))
        inner = self._random.choice(
            ("[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels, "[" * levels)
        )
        return b'{"article_id":"sau-%d","text":"x","extra":%s}' % (levels, inner.encode())

    def repeated_keys(self) -> bytes:
        fields = list(self._article().items()) * 2
        self._random.shuffle(fields)
        fields.insert(self._random.randrange(len(fields)), ("text", self._random.choice(ODD_VALUES)))
        return ("{" + ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in fields) + "}").encode()

    # Articles that no newspaper writes.

    def wrong_types(self) -> bytes:
        article = self._article()
        for _ in range(self._random.randrange(1, 5)):
            article[self._random.choice(FIELDS)] = self._random.choice((*ODD_VALUES, *ODD_STRINGS))
        return dumped(article)

    def odd_strings(self) -> bytes:
        article = self._article()
        for _ in range(self._random.randrange(1, 4)):
            field = self._random.choice(FIELDS)
            odd = self._random.choice(ODD_STRINGS)
            old = str(article.get(field, ""))
            at = self._random.randrange(len(old) + 1)
            article[field] = self._random.choice(
                (odd, old[:at] + odd + old[at:], odd * self._random.randrange(1, 20))
            )
        return dumped(article)

    def odd_dates(self) -> bytes:
        article = self._article()
        for field in ("published_at", "modified_at", "crawled_at"):
            if self._random.random() < 0.6:
                article[field] = self._random.choice(ODD_DATES)
        if self._random.random() < 0.3:
            article["text"] = f"{self._random.choice(ODD_DATES)} {article['text']}"
        return dumped(article)

    def hostile_markup(self) -> bytes:
        article = self._article()
        tag = self._random.choice(
            ("div", "p", "table", "svg", "math", "a", "b", "font", "template", "select", "x")
        )
        times = self._random.randrange(1, 2_000)
        article["text"] = self._random.choice(
            (
                f"<{tag}>" * times + article["text"],
                f"<{tag}>{article['text']}</{tag}>" * (times % 20),
                f"<{tag} {' '.join(f'a{i}=1' for i in range(times))}>{article['text']}",
                f"<!DOCTYPE x [<!ENTITY a '{article['text']}'>]><p>{'&a;' * times}</p>",
                f"{'&amp;' * times}lt;script{'&gt;' * times} {article['text']}",
                f"<p>{article['text']}<img src=//a/{times} onerror=x><iframe src='javascript:1'></p>",
            )
        )
        return dumped(article)

    # Streams that are hostile as a whole.

    def salad(self) -> bytes:
        article = self._article()
        count = self._random.randrange(1, 120)
        article["title"] = " ".join(self._random.choices(self._words, k=8))
        article["text"] = " ".join(self._random.choices(self._words, k=count))
        return dumped(article)

    def flood_of_one_source(self) -> bytes:
        self._number += 1
        article = {**self._corpus[0], "article_id": f"lu-{self._number}", "source": "Một Nguồn"}
        article["text"] = f"{article['text']} Tin số {self._number}: {self._random.choice(self._words)}."
        article["published_at"] = self._now()
        return dumped(article)

    def copy(self) -> bytes:
        article = dict(self._random.choice(self._earlier or self._corpus))
        self._number += 1
        article["article_id"] = f"chep-{self._number}"
        article["source"] = f"Báo {self._random.randrange(1000)}"
        return dumped(article)

    def edit_or_withdrawal(self) -> bytes:
        article = dict(self._random.choice(self._earlier or self._corpus))
        match self._random.randrange(4):
            case 0:
                article["status"] = "withdrawn"
            case 1:
                article = {"article_id": article.get("article_id"), "status": "withdrawn"}
            case 2:
                article["text"] = " ".join(self._random.choices(self._sentences, k=3))
            case _:
                article["language"] = self._random.choice(LANGUAGES)
        return dumped(article)

    def colliding(self) -> bytes:
        """Texts of the same few runs of words, and ids that differ only in what folding takes away."""
        article = self._article()
        words = self._random.choices(self._words[:6], k=5)
        article["text"] = " ".join(words * self._random.randrange(2, 40))
        article["article_id"] = self._random.choice(
            ("Báo-1", "ba\u0301o-1", "BÁO-1", " báo-1", "báo-1\u200b", "bao-1")
        )
        return dumped(article)

    def _near_the_limit(self) -> Input:
        article = self._article()
        kinds: dict[str, Callable[[], str]] = {
            "words": lambda: " ".join(self._random.choices(self._words, k=1000)) + " ",
            "sentences": lambda: ". ".join(self._random.choices(self._sentences, k=100)) + ". ",
            "no spaces": lambda: "".join(self._random.choices(self._words, k=1000)),
            "dots": lambda: "a.b.",
            "numbers": lambda: "1.234,5 ",
            "dates": lambda: "ngày 2/3/2026 lúc 7h05, ",
            "capitals": lambda: "Ông Nguyễn Văn An, ",
            "quotes": lambda: "“Tôi không biết”, ông Nguyễn Văn An nói. ",
            "open quotes": lambda: "“ ",
            "tags": lambda: "<div>a",
            "open tags": lambda: "<a ",
            "entities": lambda: "&amp;",
            "lines": lambda: "a\n",
            "marks": lambda: "e\u0301\u0323",
            "urls": lambda: "http://vi.du/a?b=c ",
            "commas": lambda: "a, b; c: ",
            "emoji": lambda: "👩‍👩‍👧‍👦",
            "brackets": lambda: "([{",
            "underscores": lambda: "thành_phố ",
        }
        kind = self._random.choice(sorted(kinds))
        piece = kinds[kind]()
        field = self._random.choice(("text", "text", "text", "title", "summary", "source", "authors", "url"))
        size = LIMIT - 20_000
        article[field] = (piece * (size // len(piece.encode()) + 1)).encode()[:size].decode("utf-8", "ignore")
        value = json.dumps(article, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return Input(f"{kind} in {field}", value)

    def _enormous(self) -> bytes:
        return b'{"article_id":"lon","text":"' + b"a " * 25_000_000 + b'"}'

    def _article(self) -> dict[str, Any]:
        """Return an article of sentences of the demo corpus under a new id, and remember it."""
        self._number += 1
        article = {
            "article_id": f"thu-{self._number}",
            "title": self._random.choice(self._corpus).get("title") or "Không đề",
            "text": ". ".join(self._random.choices(self._sentences, k=self._random.randrange(1, 6))),
            "source": f"Báo {self._random.randrange(40)}",
            "published_at": self._now(),
        }
        if self._random.random() < 0.2:
            article["language"] = self._random.choice(LANGUAGES)
        self._earlier.append(dict(article))
        if len(self._earlier) > KEPT:
            del self._earlier[self._random.randrange(KEPT)]
        return article

    def _now(self) -> str:
        self._second += self._random.randrange(40)
        day, rest = divmod(self._second, 86_400)
        clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
        return f"2026-{3 + day // 28:02d}-{1 + day % 28:02d}T{clock}Z"


FLOOD_TEXT = (
    "Giá vàng trong nước sáng nay tăng mạnh theo đà của thế giới, các tiệm vàng ở Hà Nội niêm yết mức bán ra"
    " cao nhất từ đầu năm. Người mua xếp hàng từ sớm, nhiều nơi thông báo hết hàng chỉ sau vài giờ. Ngân hàng"
    " Nhà nước cho biết sẽ theo dõi sát diễn biến và có biện pháp bình ổn khi cần. Chuyên gia Nguyễn Văn Bình"
    " khuyên người dân thận trọng khi mua đuổi. "
)


def flood(kind: str, count: int) -> Iterator[Input]:
    """Yield `count` articles within days: `copies` of one by many sources, or `near` copies by one source."""
    for number in range(count):
        hours, minute = divmod(number // 5, 60)
        article = {
            "article_id": f"lu-{kind}-{number}",
            "title": "Giá vàng tăng mạnh",
            "text": FLOOD_TEXT * 2,
            "source": f"Báo {number % 997}",
            "published_at": f"2026-03-{1 + hours // 24:02d}T{hours % 24:02d}:{minute:02d}:00Z",
        }
        if kind == "near":
            street = "".join(chr(97 + number // 26**place % 26) for place in range(4))
            article["title"] += f" lần {number}"
            article["source"] = "Một Nguồn"
            article["text"] += f"Cửa hàng số {number} ở phố {street} bán {number * 7 % 1000} lượng."
        yield Input(f"flood: {kind}", dumped(article))


def is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def dumped(article: object) -> bytes:
    """Return the article as JSON; lone surrogates, NaN and what else JSON allows go in as escapes."""
    return json.dumps(article).encode()
