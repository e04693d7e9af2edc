"""The compiled analyzer says token for token what underthesea's public functions say."""

from __future__ import annotations

import gzip
import json
import random
import unicodedata
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import underthesea

from services.enricher import analyzer as analyzer_module
from services.enricher.analyzer import Analyzer
from services.enricher.crf_tables import compile_model
from services.enricher.crfsuite import CrfModel, read_model
from services.enricher.tokenizer import Tokenizer, sentences

DATA = Path(__file__).parents[3] / "shared" / "data" / "stream2017.jsonl.gz"

SUBJECTS = [
    "Ông Nguyễn Văn Khởi", "bà Lê Thị Mận", "Công an tỉnh Nghệ An", "Bộ Giáo dục và Đào tạo",
    "Tổng thống Mỹ Joe Biden", "HLV Park Hang Seo", "Ca sĩ Thu Hà", "chính phủ Nhật Bản",
    "Tập đoàn Sao Mai", "Anh Tuấn", "các em học sinh", "WHO", "Đội tuyển Việt Nam", "TP.HCM", "Ukraine",
    "người dân xã Quảng Phú", "nhà máy A1", "GS.TS Trần Đình Long", "tôi",
]  # fmt: skip
VERBS = [
    "cho biết", "khẳng định", "đã bắt giữ", "kêu gọi", "vừa ký", "không đồng ý với", "đang xem xét",
    "bán 1.500 tấn gạo cho", "thắng 3-2 trước", "chi 12,5 tỷ đồng cho", "gặp", "hoàn thành sớm",
    "tổ chức lễ kỷ niệm", "phản đối", "mua lại",
]  # fmt: skip
OBJECTS = [
    "dự án đường sắt Cát Linh - Hà Đông", "ba nghi phạm", "giá xăng dầu", "hiệp định thương mại tự do",
    "Liên Hợp Quốc", "kỳ thi tốt nghiệp THPT 2026", "trận chung kết", "một chiếc iPhone 15",
    "vụ cháy ở quận 7", "bệnh viện Bạch Mai", "biến đổi khí hậu", "hơn 40% cổ phần",
    "cuốn sách “Mùa hè năm ấy”", "e-mail gửi lúc 08:30:15", "H'Hen và K’Brẻo",
]  # fmt: skip
TAILS = [
    "tại Hà Nội", "vào ngày 12/3/2026", "trong 2-3 năm tới", "ở Đà Nẵng", "theo Reuters", "(SN 1985)",
    "v.v...", "nhé :D", "khoảng 30°C", "từ Tp. Vinh đến Pleiku", "trên www.vidu.vn/tin-tuc", "", "",
    "với bà Trần Thu Hà", "!!!", "và cả Nga",
]  # fmt: skip


def generated(count: int) -> list[str]:
    source = random.Random(20260302)
    made = set()
    while len(made) < count:
        parts = [source.choice(SUBJECTS), source.choice(VERBS), source.choice(OBJECTS), source.choice(TAILS)]
        if source.random() < 0.1:
            parts.reverse()
        text = " ".join(p for p in parts if p)
        if source.random() < 0.05:
            text = text.upper()
        made.add(text + source.choice([".", "", " .", "…", "?"]))
    return sorted(made)


@cache
def analyzer() -> Analyzer:
    return Analyzer()


def ours(text: str) -> list[tuple[str, str, str]]:
    return [(w.text, w.tag, w.label) for w in analyzer().analyze(text, [(0, len(text))])[0]]


def theirs(text: str) -> list[tuple[str, str, str]]:
    return [(word, tag, label) for word, tag, _, label in underthesea.ner(text)]


def test_thousands_of_segmentations_are_the_same() -> None:
    texts = generated(3000)
    words = analyzer().analyze("\n".join(texts), spans(texts))
    assert [[w.text for w in s] for s in words] == [underthesea.word_tokenize(t) for t in texts]


def test_hundreds_of_tags_and_labels_are_the_same() -> None:
    differing = [t for t in generated(3000)[::10] if ours(t) != theirs(t)]
    assert differing == []


def spans(texts: list[str]) -> list[tuple[int, int]]:
    places, at = [], 0
    for text in texts:
        places.append((at, at + len(text)))
        at += len(text) + 1
    return places


@pytest.mark.skipif(not DATA.exists(), reason="development data is not beside the checkout")
def test_real_sentences_are_the_same() -> None:
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    checked = 0
    for row in rows[:: len(rows) // 40]:
        text = unicodedata.normalize("NFC", row["body"]).replace("_", " ")
        places = list(sentences(text))
        for (start, end), words in zip(places, analyzer().analyze(text, places), strict=True):
            assert [w.text for w in words] == underthesea.word_tokenize(text[start:end])
            if checked % 10 == 0 and end - start < 160:
                assert [(w.text, w.tag, w.label) for w in words] == theirs(text[start:end])
            checked += 1
    assert checked > 500


@pytest.mark.parametrize(
    "text",
    [
        "BOS",
        "EOS EOS",
        "Bos và eos",
        "X",
        "a",
        ".",
        "12 +5 -3 99999999999 ١٢",
        "İstanbul ΑΣ ß ǅ",
        "hoà hòa ngaỳ quí",
        "Ðà Nẵng",
        "Tp. ",
        "dấu chấm cuối A.",
        "a\u00a0b\tc",
        "(((vd))) http://vidu.vn/a(b)c. xong",
    ],
)
def test_odd_tokens_are_the_same(text: str) -> None:
    stripped = text.strip()
    assert ours(stripped) == theirs(stripped)


def test_offsets_cover_the_text() -> None:
    text = "  Ông Khởi,  42 tuổi… đã\nđến TP.HCM.\n\nHôm sau ông về Vinh  "
    for words in analyzer().analyze(text, list(sentences(text))):
        for word in words:
            assert text[word.start : word.end].split() == word.text.split()


def test_sentences_do_not_influence_each_other() -> None:
    texts = generated(40)
    together = analyzer().analyze("\n".join(texts), spans(texts))
    for text, words in zip(texts, together, strict=True):
        assert [(w.text, w.tag, w.label) for w in words] == ours(text)


def test_results_do_not_depend_on_the_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = generated(60)
    before = [ours(t) for t in texts]
    analyzer()._token_codes.clear()
    monkeypatch.setattr(analyzer_module, "MAX_CACHED_WORDS", 8)
    monkeypatch.setattr("services.enricher.tokenizer.MAX_CACHED_CHUNKS", 8)
    assert [ours(t) for t in texts] == before
    assert len(analyzer()._token_codes) <= 64


def test_no_words_without_text() -> None:
    assert analyzer().analyze("", []) == []
    assert analyzer().tag([[], []]) == [[], []]


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    short = tmp_path / "short.bin"
    short.write_bytes(b"lCRF")
    other = tmp_path / "other.bin"
    other.write_bytes(b"PK\x03\x04" + b"\0" * 100)
    for path in (short, other):
        with pytest.raises(ValueError, match="CRFsuite"):
            read_model(path)


def test_an_unknown_template_is_refused() -> None:
    model = CrfModel(("A", "B"), {}, np.zeros((0, 2)), np.zeros((2, 2)))
    for template in ("T[5]", "T[0].reverse", "T[0,3]", "T[-1][7]", "nonsense"):
        with pytest.raises(ValueError, match="unknown template"):
            compile_model(model, [template], lambda _: 0)


def test_decoding_follows_state_and_transition_weights() -> None:
    model = CrfModel(
        ("A", "B"),
        {"T[0]=x": 0, "T[-1,0]=x y": 1},
        np.array([[1.0, 0.0], [0.0, 3.0]]),
        np.array([[0.5, 0.0], [0.0, 0.0]]),
    )
    compiled = compile_model(model, ["T[0]", "T[-1,0]"], lambda _: 0)

    def decode(*words: str) -> list[str]:
        codes = np.array([compiled.encode(w) for w in words], np.int64)
        labels = compiled.decode(codes, np.array([0, len(words)], np.int64))
        return [compiled.labels[i] for i in labels]

    assert decode("x", "x") == ["A", "A"]
    assert decode("x", "y") == ["A", "B"]
    assert decode("y", "x") == ["A", "A"]


def test_tokens_are_found_again_after_white_space_of_any_kind() -> None:
    tokenizer = Tokenizer()
    text = "một\u2003hai \t ba"
    assert [(t.text, t.start, t.end) for t in tokenizer.tokens(text, 0, len(text))] == [
        ("một", 0, 3),
        ("hai", 4, 7),
        ("ba", 10, 12),
    ]
