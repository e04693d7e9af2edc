"""What the board says of itself."""

from services.board.reading import Reading


def test_it_is_ready_once_it_has_read_what_was_there_and_stays_so() -> None:
    reading = Reading()
    assert reading.not_ready() == "no partitions assigned yet"
    reading.started({0: 0, 1: 5, 2: 7}, {0: 2, 1: 6, 2: 7})
    assert reading.not_ready() == "reading the stories: 3 records left"
    reading.read(0, 1)  # offset 0 was compacted away
    assert reading.not_ready() == "reading the stories: 1 records left"
    reading.read(1, 5)
    assert reading.not_ready() is None
    assert reading.waiting({0: 9, 1: 6, 2: 7}) == {0: 2}
    assert reading.not_ready() is None, "what comes later is no reason"


def test_messages_read_before_the_first_look_count() -> None:
    reading = Reading()
    reading.read(0, 7)
    reading.started({0: 0}, {0: 8})
    assert reading.not_ready() is None
