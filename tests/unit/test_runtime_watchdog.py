import threading

from services.runtime.watchdog import Watchdog

DEADLINE_S = 30.0


def test_work_without_progress_is_reported_by_name() -> None:
    reports: list[str] = []
    reported = threading.Event()

    def on_stuck(why: str) -> None:
        reports.append(why)
        reported.set()

    watchdog = Watchdog(0.05, on_stuck)
    watchdog.start()
    with watchdog.work("a batch"):
        assert reported.wait(DEADLINE_S)
    assert reports[0].startswith("a batch: no progress for")


def test_work_that_ended_or_goes_on_is_not_stuck() -> None:
    watchdog = Watchdog(3600)
    with watchdog.work("one") as progress:
        progress()
        assert watchdog.stuck() is None
    assert watchdog.stuck() is None


def test_progress_starts_the_time_anew() -> None:
    watchdog = Watchdog(0.0)
    with watchdog.work("one") as progress:
        while watchdog.stuck() is None:
            pass  # the clock has not moved yet
        assert watchdog.stuck() is not None
        watchdog_with_time = Watchdog(3600)
        with watchdog_with_time.work("other"):
            assert watchdog_with_time.stuck() is None
        progress()


def test_a_stop_that_takes_too_long_is_reported() -> None:
    reports: list[str] = []
    reported, stopping = threading.Event(), threading.Event()

    def on_stuck(why: str) -> None:
        reports.append(why)
        reported.set()

    Watchdog(3600, on_stuck).bound_the_stop(stopping.is_set, 0.05)
    assert not reports
    stopping.set()
    assert reported.wait(DEADLINE_S)
    assert reports == ["asked to stop 0 s ago and still here"]
