"""What was shown is not shown again, and a gap begins where it must."""

from console.store.shown import Shown
from contract.rows import Row
from contract.times import format_time

MINUTE = 60_000_000  # microseconds
NOON = 1_790_000_000_000_000


def row(minutes: float) -> Row:
    """Return an uplink of so many minutes after noon."""
    return {"device": "a/d", "timestamp": format_time(NOON + round(minutes * MINUTE))}


def test_a_row_is_shown_once() -> None:
    """Whether it was stored at the beginning, or came before."""
    shown = Shown()
    shown.begin([row(0), row(1)], cut=False)
    assert [shown.take(row(minutes)) for minutes in (0, 1, 2, 2, 1.5)] == [
        *(False, False, True, False, True),
    ]


def test_a_gap_begins_some_minutes_before_the_newest() -> None:
    """Uplinks whose gateway's clock is behind those of others are not missed."""
    shown = Shown()
    for minutes in (0, 60, 30):
        shown.take(row(minutes))
    assert shown.gap() == NOON + 50 * MINUTE


def test_older_rows_are_not_dug_out() -> None:
    """Who asked for the newest rows gets none before them; who got all gets any."""
    cut, whole = Shown(), Shown()
    cut.begin([row(58), row(60)], cut=True)
    whole.begin([row(58), row(60)], cut=False)
    assert (cut.gap(), whole.gap()) == (NOON + 58 * MINUTE, NOON + 50 * MINUTE)


def test_a_device_that_had_not_reported() -> None:
    """All that is stored of it is new."""
    shown = Shown()
    shown.begin([], cut=False)
    assert shown.gap() == 0


def test_a_gap_stays_until_it_is_filled() -> None:
    """What comes before the table was read does not make it shorter, nor does a second loss."""
    shown = Shown()
    shown.take(row(60))
    begin = shown.gap()
    shown.take(row(120))
    assert shown.gap() == begin
    shown.filled()
    assert shown.gap() == NOON + 110 * MINUTE


def test_what_is_remembered_is_bounded() -> None:
    """After ten thousand others a timestamp is forgotten, the oldest first."""
    shown = Shown()
    for number in range(10_001):
        shown.take(row(number))
    assert not shown.take(row(1))
    assert shown.take(row(0))


def test_a_timestamp_that_is_none() -> None:
    """What somebody else publishes moves no gap."""
    shown = Shown()
    shown.take(row(60))
    assert shown.take({"timestamp": "tomorrow"})
    assert shown.take({})
    assert shown.gap() == NOON + 50 * MINUTE
