"""Which devices are silent, by the list of devices, a file of intervals, and their uplinks."""

from pathlib import Path

import pytest

from console.store.devices import Listed
from console.store.silent import Silent, is_open, standing
from contract.silence import Intervals, load_intervals
from contract.times import format_time

_MINUTE = 60_000_000
_HOUR = 60 * _MINUTE
_NOW = 1_795_000_000_000_000


@pytest.fixture
def intervals(tmp_path: Path) -> Intervals:
    """Read a file that says how often the devices of two applications report."""
    path = tmp_path / "intervals.toml"
    path.write_text(
        '[[interval]]\napplication = "hourly"\nevery = "1h"\n'
        '[[interval]]\napplication = "buttons"\nevery = "never"\n'
    )
    return load_intervals(path)


def listed(device: str, ago: int) -> Listed:
    """Return a device of the list, whose ``last_seen`` is so long ago."""
    return Listed(device, format_time(_NOW - ago))


def quarterly(ago: int) -> list[int]:
    """Return the times of uplinks each quarter of an hour, the newest of them so long ago."""
    return [_NOW - ago - number * 15 * _MINUTE for number in range(20)]


@pytest.mark.parametrize(
    ("device", "ago", "is_looked_at"),
    [
        ("hourly/a", 3 * _HOUR + 5 * _MINUTE + 10_000_000, False),
        ("hourly/a", 3 * _HOUR + 5 * _MINUTE + 10_000_001, True),
        ("buttons/a", 9000 * _HOUR, False),
        ("other/a", 0, True),
        ("check/host-1", 9000 * _HOUR, False),
    ],
)
def test_only_what_is_open_is_looked_at(
    intervals: Intervals, device: str, ago: int, *, is_looked_at: bool
) -> None:
    """What the list proves under the file needs no query, and bridges' test uplinks never do."""
    assert is_open(listed(device, ago), intervals, _NOW) is is_looked_at


def test_a_device_without_last_seen_is_looked_at(intervals: Intervals) -> None:
    """The list says nothing of it."""
    assert is_open(Listed("hourly/a", None), intervals, _NOW)
    assert not standing(Listed("hourly/a", None), [], intervals).is_known


def test_a_silent_device_is_shown_with_what_it_missed() -> None:
    """Its newest uplink counts, not last_seen, which may be three hours older."""
    found = standing(listed("a/d", 5 * _HOUR), quarterly(51 * _MINUTE), Intervals())
    since = format_time(_NOW - 51 * _MINUTE)
    assert found.silent(_NOW) == Silent("a/d", since, "15m", 3)
    assert found.silent(_NOW + _HOUR) == Silent("a/d", since, "15m", 7)


def test_a_device_that_reports_is_not_silent() -> None:
    """Neither is one whose third uplink may just be late."""
    for ago in (0, 14 * _MINUTE, 50 * _MINUTE):
        found = standing(listed("a/d", 3 * _HOUR), quarterly(ago), Intervals())
        assert found.is_known
        assert found.silent(_NOW) is None


def test_too_few_uplinks_tell_nothing() -> None:
    """It is not known whether such a device is silent."""
    found = standing(listed("a/d", 900 * _HOUR), quarterly(900 * _HOUR)[:3], Intervals())
    assert not found.is_known
    assert found.silent(_NOW) is None


def test_what_the_function_noted_holds_where_uplinks_have_expired(intervals: Intervals) -> None:
    """But for a device that the file says never of."""
    last = format_time(_NOW - 900 * _HOUR)
    found = standing(Listed("a/d", last, 24 * _HOUR), [], intervals)
    assert found.silent(_NOW) == Silent("a/d", last, "1d", 37)
    assert standing(Listed("buttons/a", last, 24 * _HOUR), [], intervals).silent(_NOW) is None


def test_a_device_whose_uplinks_have_expired(intervals: Intervals) -> None:
    """It is silent since last_seen where the file has its interval, and unknown elsewhere."""
    found = standing(listed("hourly/a", 900 * _HOUR), [], intervals)
    assert found.silent(_NOW) == Silent("hourly/a", format_time(_NOW - 900 * _HOUR), "1h", 900)
    assert not standing(listed("a/d", 900 * _HOUR), [], intervals).is_known
