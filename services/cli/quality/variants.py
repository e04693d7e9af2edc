"""The same transformations as in `edits`, written once more in many other ways (see also `spellings`).

A recall that holds for one way of trimming, editing or wrapping a text may say only that the thresholds were
set on it. So every transformation has several variants that share no code with the edit of its name, and the
one that does worst is what counts. They are raw messages: a variant may be HTML. Every sentence is our own.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from services.cli.quality import spellings
from services.cli.quality.edits import COPIES, Edit, Text, headline, sentence

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[^\s])")
_WORD = re.compile(r"\S+")
_GENERIC = [
    *("việc", "nhiều", "hiện", "những", "trong", "ngoài", "cũng", "đang", "vẫn", "khá", "rất", "đều", "từng"),
    *("riêng", "chung", "nhất", "định", "thường", "xuyên", "liên", "quan", "khu", "vực", "nội", "dung"),
]
_LINES = (
    "TTXVN đưa tin, ",
    "(Theo Nhịp Phố) ",
    "Phù Sa Online - ",
    "Hà Nội (Ban Mai) – ",
    "SÔNG HỒNG | ",
    "Theo nguồn tin của Đài Gió Đông, ",
    "[Tin tổng hợp] ",
)
_SIGNATURES = (
    "\nTheo Ban Mai, Sông Hồng",
    "\n(Nguồn: Nhịp Phố)",
    "\nLê Thị Mận - Hoàng Văn Ổi (tổng hợp)",
    "\nP.V",
    "\nTheo Đài Gió Đông",
)
_CAPTIONS = (
    "Quang cảnh tại hiện trường sáng nay. Ảnh: Bùi Văn Na",
    "Ảnh minh họa: Nguồn Internet",
    "Một góc khu vực được nhắc đến trong bài viết. (Ảnh: CTV)",
    "Người dân theo dõi sự việc từ bên kia đường - Ảnh: Trần Thị Lựu",
    "Hình ảnh do bạn đọc cung cấp cho tòa soạn.",
    "Video: Khoảnh khắc được camera an ninh ghi lại",
)
_SITE = (
    "Trang chủ | Thời sự | Thế giới | Kinh doanh | Giải trí | Thể thao | Pháp luật | Giáo dục",
    "Tải ứng dụng đọc báo để nhận tin nhanh nhất mỗi ngày, hoàn toàn miễn phí và không quảng cáo.",
    "Giấy phép hoạt động báo chí điện tử do cơ quan quản lý cấp. Tổng biên tập: Đặng Văn Mít.",
    "Liên hệ quảng cáo xin gọi số máy bàn trong giờ hành chính, từ thứ hai đến thứ sáu hằng tuần.",
    "Độc giả có thể gửi bài cộng tác, phản ánh và góp ý cho chúng tôi qua hộp thư điện tử của ban bạn đọc.",
    "Đặt báo in dài hạn được giảm giá và tặng kèm ấn phẩm cuối tuần cho cả gia đình.",
    "Các bài viết trên trang này được bảo hộ theo quy định của pháp luật về sở hữu trí tuệ.",
    "Chuyên mục nhận được sự đồng hành của nhiều bạn đọc trong và ngoài nước suốt những năm qua.",
    "Hãy bật thông báo để không bỏ lỡ những diễn biến quan trọng trong ngày ở nơi bạn sống.",
    "Đừng quên chia sẻ bài viết này nếu bạn thấy hữu ích, và xem thêm các chủ đề được đọc nhiều.",
)


def _sentences(text: str) -> list[str]:
    return _SENTENCE_END.split(text)


def keep(article: Text, start: float, end: float) -> Text:
    """Return the article with the words between two shares of it."""
    words = list(_WORD.finditer(article.body))
    first, last = round(len(words) * start), max(round(len(words) * end), round(len(words) * start) + 1)
    return replace(article, body=article.body[words[first].start() : words[last - 1].end()])


def _kept(start: float, end: float) -> Edit:
    def edit(article: Text, rng: random.Random, other: str) -> Text:
        return keep(article, start, end)

    return edit


def _kept_anywhere(share: float) -> Edit:
    def edit(article: Text, rng: random.Random, other: str) -> Text:
        start = rng.uniform(0, 1 - share)
        return keep(article, start, start + share)

    return edit


def _first_sentences(share: float) -> Edit:
    """Whole sentences from the start, until the share is reached."""

    def edit(article: Text, rng: random.Random, other: str) -> Text:
        wanted = share * len(article.body.split())
        kept: list[str] = []
        for one in _sentences(article.body):
            kept.append(one)
            if sum(len(k.split()) for k in kept) >= wanted:
                break
        return replace(article, body=" ".join(kept))

    return edit


def _some_sentences(share: float) -> Edit:
    """Sentences dropped here and there."""

    def edit(article: Text, rng: random.Random, other: str) -> Text:
        parts = _sentences(article.body)
        chosen = sorted(rng.sample(range(len(parts)), max(1, round(share * len(parts)))))
        return replace(article, body=" ".join(parts[i] for i in chosen))

    return edit


def _teaser(article: Text, rng: random.Random, other: str) -> Text:
    cut = keep(article, 0, 0.6)
    return replace(cut, body=cut.body + "… [đọc tiếp trên trang gốc]")


def _hole(article: Text, rng: random.Random, other: str) -> Text:
    head, tail = keep(article, 0, 0.3), keep(article, 0.7, 1)
    return replace(article, body=f"{head.body}\n(...)\n{tail.body}")


def _words(change: Callable[[list[str], random.Random, int], list[str]], share: float) -> Edit:
    """Edit about `share` of the words; line breaks stay where they are."""

    def edit(article: Text, rng: random.Random, other: str) -> Text:
        lines = article.body.split("\n")
        changed = [
            change(line.split(), rng, round(share * len(line.split()) + rng.random() - 0.5)) for line in lines
        ]
        return replace(article, body="\n".join(" ".join(words) for words in changed))

    return edit


def _deleted(words: list[str], rng: random.Random, amount: int) -> list[str]:
    gone = set(rng.sample(range(len(words)), max(0, min(amount, len(words) - 1))))
    return [word for i, word in enumerate(words) if i not in gone]


def _inserted(words: list[str], rng: random.Random, amount: int) -> list[str]:
    for _ in range(amount):
        words.insert(rng.randrange(len(words) + 1), rng.choice(_GENERIC))
    return words


def _swapped(words: list[str], rng: random.Random, amount: int) -> list[str]:
    for _ in range((amount + 1) // 2 if len(words) > 1 else 0):
        i = rng.randrange(len(words) - 1)
        words[i], words[i + 1] = words[i + 1], words[i]
    return words


def _reworded(words: list[str], rng: random.Random, amount: int) -> list[str]:
    for i in rng.sample(range(len(words)), max(0, min(amount, len(words)))):
        words[i] = rng.choice(_GENERIC)
    return words


def _mistyped(words: list[str], rng: random.Random, amount: int) -> list[str]:
    for i in rng.sample(range(len(words)), max(0, min(amount, len(words)))):
        at = rng.randrange(len(words[i]))
        words[i] = words[i][:at] + rng.choice("aeiouthnm") + words[i][at + 1 :]
    return words


def _mixed(words: list[str], rng: random.Random, amount: int) -> list[str]:
    for _ in range(amount):
        words = rng.choice((_deleted, _inserted, _reworded, _mistyped))(words, rng, 1)
    return words


def _tagged(article: Text, rng: random.Random, other: str) -> Text:
    return Text(other[:70].split(". ")[0], rng.choice(_LINES) + article.body)


def _signed(article: Text, rng: random.Random, other: str) -> Text:
    return Text(headline(rng), article.body + rng.choice(_SIGNATURES))


def _untitled(article: Text, rng: random.Random, other: str) -> Text:
    return Text("", rng.choice(_LINES) + article.body + rng.choice(_SIGNATURES))


def _titled_by_quote(article: Text, rng: random.Random, other: str) -> Text:
    parts = _sentences(article.body)
    title = parts[len(parts) // 2][:110]
    return Text(title, f"{rng.choice(_LINES)}{sentence(rng)} {article.body}")


def _first_sentence_replaced(article: Text, rng: random.Random, other: str) -> Text:
    """The first sentence replaced, of a text of one or two sentences its first third."""
    parts = _sentences(article.body)
    rest = " ".join(parts[1:])
    words = article.body.split()
    if len(rest.split()) < len(words) * 2 / 3:
        rest = " ".join(words[len(words) // 3 :])
    return replace(article, body=f"{sentence(rng)} {rest}")


def _first_words_replaced(article: Text, rng: random.Random, other: str) -> Text:
    """The first tenth replaced by a passage of an unrelated article, of the same length."""
    words = article.body.split(" ")
    lead = other.split()[: len(words) // 10]
    return replace(article, body=" ".join((*lead, *words[len(words) // 10 :])))


def _lead_in_front(article: Text, rng: random.Random, other: str) -> Text:
    return replace(article, body=f"{sentence(rng)}\n{article.body}")


def _lead_dropped(article: Text, rng: random.Random, other: str) -> Text:
    return keep(article, 0.12, 1)


def _new_title_and_lead(article: Text, rng: random.Random, other: str) -> Text:
    return replace(_first_sentence_replaced(article, rng, other), title=headline(rng))


def around(before: int, after: int) -> Edit:
    """Return the edit that puts so many lines of a site before and after the text."""

    def edit(article: Text, rng: random.Random, other: str) -> Text:
        lines = rng.sample(_SITE, before + after)
        return replace(article, body="\n".join((*lines[:before], article.body, *lines[before:])))

    return edit


def _related_headlines(article: Text, rng: random.Random, other: str) -> Text:
    links = "\n".join(f"• {headline(rng)}" for _ in range(5))
    return replace(article, body=f"{article.body}\nCó thể bạn quan tâm:\n{links}")


def _captions(article: Text, rng: random.Random, other: str) -> Text:
    lines = re.split(r"\n+", article.body)
    for caption in rng.sample(_CAPTIONS, 4):
        lines.insert(rng.randrange(len(lines) + 1), caption)
    return replace(article, body="\n".join(lines))


def _line_a_sentence(article: Text, rng: random.Random, other: str) -> Text:
    return Text(article.title + " ", "\n\n".join(_sentences(article.body)))


def _headline_repeated(article: Text, rng: random.Random, other: str) -> Text:
    return replace(article, body=f"{article.title}\n{article.body}")


def chain(*edits: Edit) -> Edit:
    """Return the edit that makes all of these, one after another."""

    def edit(article: Text, rng: random.Random, other: str) -> Text:
        for one in edits:
            article = one(article, rng, other)
        return article

    return edit


VARIANTS: dict[str, dict[str, Edit]] = {
    "same text": {
        "as the edit": COPIES["same text"],
        "HTML with links, scripts, comments": spellings.as_html,
        "HTML entities for every letter": spellings.as_entities,
        "capital letters": spellings.capitals,
        "one line": spellings.one_line,
        "a line for each sentence": _line_a_sentence,
        "odd spaces": spellings.odd_spaces,
        "plain quotation marks and dashes": spellings.typography,
        "headline repeated in the text": _headline_repeated,
        "other tone marks": spellings.tones_swapped,
    },
    "new title, agency line": {
        "as the edit": COPIES["new title, agency line"],
        "another article's title, a tag in front": _tagged,
        "new title, a signature": _signed,
        "no title, both": _untitled,
        "a sentence as title, a new sentence in front": _titled_by_quote,
    },
    "cut to 60 %": {
        "as the edit": COPIES["cut to 60 %"],
        "the end kept": _kept(0.4, 1),
        "the middle kept": _kept(0.2, 0.8),
        "any passage": _kept_anywhere(0.6),
        "whole sentences": _first_sentences(0.6),
        "sentences dropped at random": _some_sentences(0.6),
        "the middle left out": _hole,
        "a teaser with a link": _teaser,
    },
    "cut to a third": {
        "as the edit": COPIES["cut to a third"],
        "the end kept": _kept(2 / 3, 1),
        "the middle kept": _kept(1 / 3, 2 / 3),
        "any passage": _kept_anywhere(1 / 3),
        "whole sentences": _first_sentences(1 / 3),
    },
    "new lead": {
        "as the edit": COPIES["new lead"],
        "the first sentence replaced": _first_sentence_replaced,
        "a tenth replaced by other news": _first_words_replaced,
        "a sentence in front": _lead_in_front,
        "the lead left out": _lead_dropped,
        "title and first sentence replaced": _new_title_and_lead,
    },
    "5 % of words edited": {
        "as the edit": COPIES["5 % of words edited"],
        "deleted": _words(_deleted, 0.05),
        "inserted": _words(_inserted, 0.05),
        "swapped": _words(_swapped, 0.05),
        "replaced": _words(_reworded, 0.05),
        "mistyped": _words(_mistyped, 0.05),
        "all of these": _words(_mixed, 0.05),
    },
    "boilerplate around": {
        "as the edit": COPIES["boilerplate around"],
        "a line before and after": around(1, 1),
        "three lines before": around(3, 0),
        "three lines after": around(0, 3),
        "two lines before, four after": around(2, 4),
        "related headlines": _related_headlines,
        "captions between the paragraphs": _captions,
    },
    "NFD": {
        "as the edit": COPIES["NFD"],
        "NFKD": spellings.compatibility,
        "half of the words": spellings.decomposed_in_part,
    },
    "word-segmented": {
        "as the edit": COPIES["word-segmented"],
        "pairs, one line": spellings.segmented_by_pairs,
        "underscores alone": spellings.joined_only,
    },
    "diacritics stripped": {
        "as the edit": COPIES["diacritics stripped"],
        "NFKD": spellings.stripped,
        "đ kept": spellings.marks_dropped,
        "half of the words": spellings.half_stripped,
        "in capital letters": chain(spellings.stripped, spellings.capitals),
    },
    "several at once": {
        "as the edit": COPIES["several at once"],
        "stripped, cut to 60 %": chain(spellings.stripped, _kept(0, 0.6)),
        "stripped, the end of it": chain(spellings.stripped, _kept(0.4, 1)),
        "segmented, 5 % edited": chain(_words(_reworded, 0.05), spellings.segmented_by_pairs),
        "new title and lead, cut to 60 %": chain(_new_title_and_lead, _kept(0, 0.6)),
        "HTML, boilerplate, 5 % edited": chain(_words(_mixed, 0.05), around(1, 1), spellings.as_html),
        "NFD, agency line, captions": chain(_tagged, _captions, COPIES["NFD"]),
        "10 % of words edited": COPIES["10 % of words edited"],
    },
}
"""By transformation of the issue, then by variant."""
