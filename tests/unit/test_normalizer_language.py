from __future__ import annotations

import socket

import pytest

from services.normalizer.language import UNKNOWN, decide, detect, load
from services.runtime.text import fold

VIETNAMESE = (
    "Sáng nay hội đồng thành phố đã thông qua kế hoạch trồng thêm năm nghìn cây xanh dọc các tuyến đường mới "
    "mở, trong đó phần lớn là cây bản địa chịu được nắng nóng và ngập mặn."
)
ENGLISH = (
    "The city council approved a plan this morning to plant five thousand more trees along the new roads."
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (VIETNAMESE, "vi"),
        (VIETNAMESE.upper(), "vi"),
        (fold(VIETNAMESE), "vi"),
        ("Lúa được mùa", "vi"),
        (ENGLISH, "en"),
        ("Le conseil municipal a approuvé ce matin la plantation de cinq mille arbres de plus.", "fr"),
        (
            "Consiliul a hotărât că până la sfârșitul lunii va planta încă o mie de puieți fără întârziere.",
            "ro",
        ),
        ("市议会今天上午批准了在新道路两旁再种五千棵树的计划。", "zh"),
        (
            "Dewan kota pagi ini menyetujui rencana menanam lima ribu pohon lagi di sepanjang jalan baru.",
            "id",
        ),
        ("Городской совет утром утвердил план посадить ещё пять тысяч деревьев вдоль новых дорог.", "ru"),
        ("Xin chao", UNKNOWN),
        ("12345 67 !", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_languages(text: str, code: str) -> None:
    assert detect(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "wo men ming tian zao shang ba dian zai xue xiao men kou jian mian ran hou yi qi qu kan da xiong mao",
        "in the end it is not a thing that I can do on my own so he let me go to the man",
        "i te ra nei ka korero te minita mo te utu mo nga kaimahi hou",
    ],
)
def test_syllables_alone_do_not_make_a_text_vietnamese(text: str) -> None:
    assert detect(text) != "vi"


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        (VIETNAMESE, "vi", ("vi", False)),
        (VIETNAMESE, " VI-VN ", ("vi", False)),
        (VIETNAMESE, "vi_VN", ("vi", False)),
        (VIETNAMESE, "en", ("vi", True)),
        (VIETNAMESE, "Tiếng Việt", ("vi", True)),
        (VIETNAMESE, None, ("vi", True)),
        (ENGLISH, "vi", ("en", True)),
        ("Tin", "vi", ("vi", False)),
        ("Tin", "xx", (UNKNOWN, True)),
        ("Tin", None, (UNKNOWN, True)),
        ("", "fr", ("fr", False)),
    ],
)
def test_the_crawlers_code_is_believed_where_the_text_does_not_speak_against_it(
    text: str, given: str | None, expected: tuple[str, bool]
) -> None:
    assert decide(text, given) == expected


def test_the_model_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("no connection may be opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    load.cache_clear()
    assert detect(ENGLISH) == "en"
