from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.runtime.batches import parts_of


def event(value: bytes | None) -> Any:
    return SimpleNamespace(message=SimpleNamespace(value=value))


@given(st.lists(st.none() | st.binary(max_size=30)), st.integers(1, 40))
def test_every_event_is_in_one_part_in_order_and_no_part_is_large(
    values: list[bytes | None], most: int
) -> None:
    events = [event(value) for value in values]
    parts = list(parts_of(events, most))
    assert [one for part in parts for one in part] == events
    for part in parts:
        assert len(part) == 1 or sum(len(one.message.value or b"") for one in part) <= most


def test_small_events_stay_together() -> None:
    assert [len(part) for part in parts_of([event(b"12345")] * 7, 20)] == [4, 3]
    assert list(parts_of([])) == []
