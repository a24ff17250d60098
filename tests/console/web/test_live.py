"""New uplinks of a device from the table."""

from collections.abc import Iterable

from console.web.live import Looking
from contract.rows import Row, Value

NOON = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z, microseconds
SECOND = 1_000_000


def row(second: int, **attributes: Value) -> Row:
    """Return an uplink of some seconds past noon."""
    time = f"2026-11-21T12:{second // 60:02}:{second % 60:02}.000000Z"
    return {"device": "a/d", "timestamp": time, **attributes}


class Table:
    """A table of one device, and a clock."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.asked: list[int] = []
        self.now = NOON + 3600 * SECOND
        self.looking = Looking(self.read, NOON, lambda: self.now)

    def read(self, since: int) -> Iterable[Row]:
        """Return all rows: how many were asked for is for the table to say."""
        self.asked.append(since)
        return list(self.rows)

    def later(self) -> list[Row]:
        """Return what is new two seconds later."""
        self.now += 2 * SECOND
        return self.looking.news()


def test_each_uplink_comes_once() -> None:
    """An uplink that was given is not given again; one that came out of order is."""
    table = Table()
    table.rows = [row(5)]
    assert table.later() == [row(5)]
    assert table.later() == []
    table.rows = [row(4), row(5)]
    assert table.later() == [row(4)]


def test_an_uplink_comes_again_with_its_reading() -> None:
    """What was given before it was decoded is given once more, and then no more."""
    table = Table()
    table.rows = [row(5)]
    table.later()
    table.rows = [row(5, decoded={"t": 1})]
    assert table.later() == [row(5, decoded={"t": 1})]
    assert table.later() == []


def test_it_looks_every_two_seconds_at_most() -> None:
    """The stream asks oftener than the table is to be asked."""
    table = Table()
    for _ in range(8):
        table.now += SECOND // 2
        table.looking.news()
    assert len(table.asked) == 2


def test_it_looks_at_the_last_ten_minutes_alone() -> None:
    """What is asked for moves on with the newest uplink."""
    table = Table()
    table.rows = [row(1500)]
    table.later()
    table.later()
    assert table.asked == [NOON, NOON + 900 * SECOND]


def test_an_uplink_of_the_future_hides_none_of_today() -> None:
    """A clock that was wrong when an uplink came does not stop what comes after it."""
    table = Table()
    table.rows = [{"device": "a/d", "timestamp": "2030-01-01T00:00:00.000000Z"}]
    table.later()
    table.later()
    assert table.asked[-1] == table.now - (2 + 600) * SECOND


def test_a_clock_that_was_put_back_stops_nothing() -> None:
    """The next look is not due hours later because of it."""
    table = Table()
    table.later()
    table.now -= 7200 * SECOND
    table.later()
    assert len(table.asked) == 2
