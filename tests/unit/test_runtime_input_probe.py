"""When a partition counts as standing still; how it is read is in tests/integration/test_stream.py."""

from services.runtime.input_probe import Standstill


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_same_first_message_for_too_long_is_a_standstill() -> None:
    clock = Clock()
    standstill = Standstill(60, clock)
    for clock.now in (0.0, 30.0, 60.0):
        standstill.saw({1: 500, 2: 7})
        assert standstill.stuck() is None
    clock.now = 61.0
    standstill.saw({2: 7})
    assert standstill.stuck() == (
        "partition 2: the message at offset 7 has waited for 61 s: the consumer is silent"
    )


def test_whoever_moves_on_is_not_stuck_however_much_waits() -> None:
    clock = Clock()
    standstill = Standstill(60, clock)
    for step in range(10):
        clock.now = 50.0 * step
        standstill.saw({0: step})
        assert standstill.stuck() is None


def test_a_look_that_failed_starts_the_time_anew() -> None:
    clock = Clock()
    standstill = Standstill(60, clock)
    standstill.saw({0: 7})
    clock.now = 50.0
    standstill.saw({})
    clock.now = 100.0
    standstill.saw({0: 7})
    assert standstill.stuck() is None
