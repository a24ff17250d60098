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
        self.now = 0.0
        self.looking = Looking(self.read, NOON, lambda: self.now)

    def read(self, since: int) -> Iterable[Row]:
        """Return all rows: how many were asked for is for the table to say."""
        self.asked.append(since)
        return list(self.rows)

    def later(self) -> list[Row]:
        """Return what is new two seconds later."""
        self.now += 2
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
        table.now += 0.5
        table.looking.news()
    assert len(table.asked) == 2


def test_it_looks_at_the_last_minute_alone() -> None:
    """What is asked for moves on with the newest uplink."""
    table = Table()
    table.rows = [row(600)]
    table.later()
    table.later()
    assert table.asked == [NOON, NOON + 540 * SECOND]
