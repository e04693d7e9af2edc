"""What newsrooms, aggregators and crawlers do to an article, as named and seeded edits.

`COPIES` are edits that leave an article a copy of the original; `DISTINCT` make an article that shares text
with it and is none. Both are used by `machtin quality dedup`, by the benchmark and by the tests. Every
sentence that an edit adds is our own.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from services.runtime.text import unify_tone_marks


@dataclass(frozen=True, slots=True)
class Text:
    """The part of an article that an edit changes."""

    title: str
    body: str


Edit = Callable[[Text, random.Random, str], Text]
"""An edit gets the article, the source of its choices, and the text of an unrelated article."""

_PLACES = (
    "Hòn Khói", "Bến Lội", "Tân Phước", "Đồng Mít", "Suối Cạn", "Phú Lâm", "Cồn Sậy", "Vĩnh Hòa", "Rạch Gừa",
    "Mỹ Thuận", "Lộc Ninh", "Bãi Giữa", "An Khê", "Cầu Ngói", "Thượng Đình", "Nậm Rốm", "Trà Sơn", "Khe Sanh",
)  # fmt: skip
_WHO = (
    "nhiều độc giả", "người dân quanh vùng", "các chuyên gia theo dõi vụ việc", "đại diện cơ quan chức năng",
    "giới quan sát", "những người trong cuộc", "phóng viên có mặt tại chỗ", "bạn đọc gọi về đường dây nóng",
    "một số tổ chức xã hội", "nguồn tin riêng của tòa soạn",
)  # fmt: skip
_DID = (
    "đã bày tỏ sự quan tâm đặc biệt", "cho rằng còn nhiều điều cần làm rõ", "vẫn đang chờ câu trả lời"
    " thỏa đáng",
    "kể lại diễn biến với nhiều chi tiết mới", "đề nghị sớm công bố thông tin đầy đủ",
    "nhận định tình hình sẽ còn thay đổi", "mong muốn mọi việc được giải quyết ổn thỏa",
    "gửi về những hình ảnh đầu tiên", "đặt ra hàng loạt câu hỏi khó", "theo sát từng bước tiếp theo",
)  # fmt: skip
_WHEN = (
    "ngay trong buổi sáng", "chỉ vài giờ sau khi tin được đăng", "suốt mấy ngày qua", "vào cuối giờ chiều",
    "trước khi có thông báo chính thức", "giữa lúc dư luận xôn xao", "từ rất sớm", "lúc phố xá vừa lên đèn",
)  # fmt: skip
_AGENCIES = ("Hãng tin Ban Mai", "Thông tấn Sông Hồng", "Báo Phù Sa", "Tạp chí Nhịp Phố", "Đài Gió Đông")
_HEADLINES = (
    "Toàn cảnh câu chuyện đang được bàn luận ở {place}", "Điều ít người biết phía sau sự việc tại {place}",
    "{place}: những chi tiết đáng chú ý vừa được hé lộ", "Vì sao {who} quan tâm đến chuyện này?",
    "Nhìn lại một ngày nhiều biến động ở {place}", "Góc nhìn: khi {who} lên tiếng",
)  # fmt: skip
_BEFORE = (
    "Mời bạn đọc theo dõi bản tin nóng mỗi sáng trên trang của chúng tôi.",
    "Bấm nút quan tâm để nhận thông báo khi có bài mới.",
    "Đăng nhập để lưu bài viết và đọc tiếp trên điện thoại.",
    "Cỡ chữ nhỏ, vừa, lớn. Nghe bài viết bằng giọng đọc tự động.",
)
_AFTER = (
    "Xem thêm các bài cùng chuyên mục ở cuối trang.",
    "Mọi ý kiến đóng góp xin gửi về hộp thư của tòa soạn hoặc gọi đường dây nóng.",
    "Bạn nghĩ gì về nội dung này? Hãy để lại bình luận bên dưới.",
    "Bản quyền thuộc về tòa soạn, ghi rõ nguồn khi phát hành lại.",
    "Theo dõi trang của chúng tôi trên các mạng xã hội để không bỏ lỡ tin tức.",
    "Chia sẻ bài viết cho bạn bè và người thân cùng đọc.",
)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
_SYLLABLE = re.compile(r"[^\W\d_]+")


def sentence(rng: random.Random) -> str:
    """Return a sentence of no particular content: twenty syllables or so, seldom the same twice."""
    when, place, who, did = (rng.choice(part) for part in (_WHEN, _PLACES, _WHO, _DID))
    other = rng.choice([p for p in _PLACES if p != place])
    forms = (
        f"{when.capitalize()}, {who} ở {place} {did}, còn phía {other} thì chưa có phản hồi.",
        f"Tại {place}, {who} {did} {when}, theo lời kể của một người từ {other}.",
        f"{who.capitalize()} từ {place} và {other} {did} {when}.",
    )
    return rng.choice(forms)


def headline(rng: random.Random) -> str:
    """Return a title that says nothing of the article."""
    return rng.choice(_HEADLINES).format(place=rng.choice(_PLACES), who=rng.choice(_WHO))


def _words(text: str) -> int:
    return len(text.split())


def same_text(article: Text, rng: random.Random, other: str) -> Text:
    """Another site's title prefix and other spacing; the words are the same."""
    prefix = rng.choice(("[Video] ", "Tin nóng: ", "(Ảnh) "))
    return Text(prefix + article.title, article.body.replace(". ", ".  ").replace("\n", "\n\n"))


def agency_title(article: Text, rng: random.Random, other: str) -> Text:
    """A new headline, and an agency's line in front."""
    agency = rng.choice(_AGENCIES)
    return Text(headline(rng), f"({agency}) - {article.body}\nTheo {agency}")


def _cut(article: Text, share: float) -> Text:
    words = article.body.split(" ")
    return replace(article, body=" ".join(words[: max(1, round(len(words) * share))]))


def cut_60(article: Text, rng: random.Random, other: str) -> Text:
    """The first 60 % of the text."""
    return _cut(article, 0.6)


def cut_third(article: Text, rng: random.Random, other: str) -> Text:
    """The first third of the text."""
    return _cut(article, 1 / 3)


def new_lead(article: Text, rng: random.Random, other: str) -> Text:
    """The first sentences replaced by new ones: about a tenth of the text, never more than a third of it."""
    sentences = _SENTENCE.split(article.body)
    total = _words(article.body)
    dropped = 0
    while len(sentences) > 1 and dropped < total / 12:
        dropped += _words(sentences.pop(0))
    rest = " ".join(sentences)
    if _words(rest) < total * 2 / 3:  # a line or two of text: the beginning of its only sentence
        dropped = total // 10
        rest = " ".join(article.body.split(" ")[dropped:])
    lead = sentence(rng) if dropped < 40 else f"{sentence(rng)} {sentence(rng)}"
    return replace(article, body=f"{lead} {rest}")


def _replace_words(article: Text, rng: random.Random, share: float) -> Text:
    """Replace words by other words of the same text, so that the vocabulary gives nothing away."""
    found = list(_SYLLABLE.finditer(article.body))
    if not found:
        return article
    chosen = sorted(rng.sample(range(len(found)), round(len(found) * share)))
    pieces: list[str] = []
    end = 0
    for i in chosen:
        pieces += (article.body[end : found[i].start()], found[rng.randrange(len(found))][0])
        end = found[i].end()
    return replace(article, body="".join((*pieces, article.body[end:])))


def words_5(article: Text, rng: random.Random, other: str) -> Text:
    """Every twentieth word replaced by another."""
    return _replace_words(article, rng, 0.05)


def words_10(article: Text, rng: random.Random, other: str) -> Text:
    """Every tenth word replaced by another."""
    return _replace_words(article, rng, 0.1)


def boilerplate(article: Text, rng: random.Random, other: str) -> Text:
    """A site's invitations before and after the text: 40 to 70 syllables."""
    before = "\n".join(rng.sample(_BEFORE, 2))
    after = "\n".join(rng.sample(_AFTER, 3))
    return replace(article, body=f"{before}\n{article.body}\n{after}")


def decomposed(article: Text, rng: random.Random, other: str) -> Text:
    """Unicode NFD, as macOS and some content systems write it."""
    return Text(unicodedata.normalize("NFD", article.title), unicodedata.normalize("NFD", article.body))


def segmented(article: Text, rng: random.Random, other: str) -> Text:
    """Words joined by underscores and punctuation set apart, as word segmenters write them."""

    def segment(text: str) -> str:
        spaced = re.sub(r"([^\w\s])", r" \1 ", text)
        return re.sub(r"(?<=\w) (?=\w)", lambda _: "_" if rng.random() < 0.4 else " ", spaced)

    return Text(segment(article.title), segment(article.body))


def other_tones(article: Text, rng: random.Random, other: str) -> Text:
    """The other placement of tone marks: hoà for hòa."""
    return Text(unify_tone_marks(article.title), unify_tone_marks(article.body))


def no_accents(article: Text, rng: random.Random, other: str) -> Text:
    """Typed without diacritics."""

    def bare(text: str) -> str:
        letters = unicodedata.normalize("NFD", text).replace("đ", "d").replace("Đ", "D")
        return "".join(c for c in letters if not unicodedata.combining(c))

    return Text(bare(article.title), bare(article.body))


def reworked(article: Text, rng: random.Random, other: str) -> Text:
    """Several at once: another headline and lead, three words in a hundred edited, the last quarter cut."""
    led = replace(new_lead(article, rng, other), title=headline(rng))
    return _cut(_replace_words(led, rng, 0.03), 0.75)


def live_update(article: Text, rng: random.Random, other: str) -> Text:
    """The same story some hours later: new text in front, as much as there was, at least 80 words."""
    amount = max(80, _words(article.body))
    new = other.split()
    while len(new) < amount:
        new += sentence(rng).split()
    return Text(headline(rng), " ".join(new[:amount]) + "\n" + article.body)


def long_quote(article: Text, rng: random.Random, other: str) -> Text:
    """Another article that quotes 60 words of this one, at most half of it."""
    words = article.body.split(" ")
    length = min(60, len(words) // 2)
    start = rng.randrange(len(words) - length + 1)
    own = (other + " " + " ".join(sentence(rng) for _ in range(8))).split(" ")
    place = rng.randrange(len(own))
    quoted = f"“{' '.join(words[start : start + length])}”"
    return Text(headline(rng), " ".join((*own[:place], quoted, *own[place:])))


COPIES: dict[str, Edit] = {
    "same text": same_text,
    "new title, agency line": agency_title,
    "cut to 60 %": cut_60,
    "cut to a third": cut_third,
    "new lead": new_lead,
    "5 % of words edited": words_5,
    "10 % of words edited": words_10,
    "boilerplate around": boilerplate,
    "NFD": decomposed,
    "word-segmented": segmented,
    "other tone marks": other_tones,
    "diacritics stripped": no_accents,
    "several at once": reworked,
}
"""Edits that leave a copy."""

DISTINCT: dict[str, Edit] = {
    "live update": live_update,
    "long quote": long_quote,
}
"""Edits that make another article, which must be kept."""


def edited(name: str, article: Text, key: str, other: str, seed: int = 2017) -> Text:
    """Return the edit called `name` of an article; the same for the same key and seed.

    `other` is the text of an unrelated article, which some edits take their new text from.
    """
    edit = COPIES.get(name) or DISTINCT[name]
    return edit(article, random.Random(f"{seed}:{name}:{key}"), other)
