import orjson
import pytest

from services.runtime.codec import MAX_DEPTH, decode, encode
from services.runtime.errors import InvalidMessage, Reason

LIMIT = 1_000


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.NOT_JSON),
        (b"", Reason.NOT_JSON),
        (b"\xff\xfe", Reason.NOT_JSON),
        (b'{"a": ', Reason.NOT_JSON),
        (b'{"a": NaN}', Reason.NOT_JSON),
        (b'{"a": "\\ud800"}', Reason.NOT_JSON),
        (b"[1, 2]", Reason.NOT_AN_OBJECT),
        (b'"text"', Reason.NOT_AN_OBJECT),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"x" * (LIMIT + 1), Reason.TOO_LARGE),
        (nested(MAX_DEPTH + 1), Reason.TOO_DEEP),
    ],
)
def test_what_is_not_a_json_object_is_refused_with_its_reason(value: bytes | None, reason: Reason) -> None:
    with pytest.raises(InvalidMessage) as refused:
        decode(value, LIMIT)
    assert refused.value.reason is reason
    assert refused.value.detail.endswith(".")


def test_the_limits_themselves_are_still_accepted() -> None:
    assert decode(nested(MAX_DEPTH), LIMIT)
    text = "x" * (LIMIT - len(b'{"a":""}'))
    assert decode(orjson.dumps({"a": text}), LIMIT) == {"a": text}


def test_of_repeated_keys_the_last_counts() -> None:
    assert decode(b'{"a": 1, "a": 2}', LIMIT) == {"a": 2}


def test_what_was_encoded_comes_back() -> None:
    record = {"title": "Mưa lớn ở Huế 🌧", "n": [1, None, {"b": True}]}
    assert decode(encode(record), LIMIT) == record


def test_a_nesting_bomb_is_refused_without_recursion() -> None:
    with pytest.raises(InvalidMessage) as refused:
        decode(b"[" * 500_000 + b"]" * 500_000, 2_000_000)
    assert refused.value.reason in (Reason.NOT_JSON, Reason.NOT_AN_OBJECT)
