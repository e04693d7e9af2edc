from services.runtime.breaker import Breaker


def test_it_opens_after_a_run_of_dead_letters() -> None:
    breaker = Breaker(run_limit=3, share_limit=0.9, window=100)
    for _ in range(2):
        breaker.record(dead=True)
    assert breaker.open_because() is None
    breaker.record(dead=True)
    assert breaker.open_because() == "3 messages in a row went to the dead-letter topic"


def test_one_good_message_ends_a_run() -> None:
    breaker = Breaker(run_limit=2, share_limit=0.9, window=100)
    for dead in (True, False, True):
        breaker.record(dead=dead)
    assert breaker.open_because() is None


def test_it_opens_on_a_share_but_only_of_a_full_window() -> None:
    breaker = Breaker(run_limit=100, share_limit=0.5, window=10)
    for number in range(9):
        breaker.record(dead=number % 2 == 0)
    assert breaker.open_because() is None
    breaker.record(dead=False)
    assert breaker.open_because() == "50% of the latest 10 messages went to the dead-letter topic"
    breaker.record(dead=False)
    assert breaker.open_because() is None
