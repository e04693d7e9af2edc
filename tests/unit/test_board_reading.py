"""What the board says of itself."""

from services.board.reading import Reading


def test_it_is_ready_once_it_has_read_what_was_there_and_stays_so() -> None:
    reading = Reading(stuck_after_s=10)
    assert reading.not_ready() == "no partitions assigned yet"
    assert reading.stuck(1000) is None, "it has not begun"
    reading.started({0: 0, 1: 5, 2: 7}, {0: 2, 1: 6, 2: 7}, now_s=0)
    assert reading.not_ready() == "reading the stories: 3 records left"
    reading.read(0, 1, now_s=1)  # offset 0 was compacted away
    assert reading.not_ready() == "reading the stories: 1 records left"
    reading.read(1, 5, now_s=1)
    assert reading.not_ready() is None
    reading.look({0: 9, 1: 6, 2: 7}, now_s=2)
    assert reading.not_ready() is None, "what comes later is no reason"


def test_messages_read_before_the_first_look_count() -> None:
    reading = Reading(stuck_after_s=10)
    reading.read(0, 7, now_s=0)
    reading.started({0: 0}, {0: 8}, now_s=1)
    assert reading.not_ready() is None


def test_it_is_stuck_when_there_is_more_and_nothing_comes() -> None:
    reading = Reading(stuck_after_s=10)
    reading.started({0: 0}, {0: 3}, now_s=0)
    for now_s in (4, 8):
        reading.look({0: 3}, now_s)
        assert reading.stuck(now_s) is None
    reading.read(0, 0, now_s=9)
    reading.look({0: 3}, 18)
    assert reading.stuck(18) is None, "one record in ten seconds is no standstill"
    reading.look({0: 3}, 20)
    assert reading.stuck(20) == "partition 0: 2 records behind for 11 s"
    reading.read(0, 2, now_s=21)
    reading.look({0: 3}, 21)
    assert reading.stuck(30) is None, "at the end, silence is right"


def test_it_is_stuck_when_the_cluster_says_no_more() -> None:
    reading = Reading(stuck_after_s=10)
    reading.started({0: 0}, {0: 0}, now_s=0)
    assert reading.stuck(10) is None
    assert reading.stuck(11) == "the cluster has not said for 11 s where the topic ends"
