"""Devices are looked at when they are due, and pages are told what is new."""

import dataclasses

import pytest

from console.store.devices import Listed
from console.store.recent import Recent
from console.web.known import Known, News
from console.web.overview import Look, look
from console.web.schedule import Schedule, next_look
from contract.silence import Expected, Intervals
from contract.times import format_time

_SECOND, _MINUTE = 1_000_000, 60_000_000  # microseconds
_HOUR = 60 * _MINUTE
_NOW = 1_790_000_000_000_000
_BATCH = 400


def _look(device: str, interval: int | None = None, last: int | None = _NOW) -> Look:
    found = look(Recent(device, ()), last, Intervals(), _NOW)
    return dataclasses.replace(found, expected=Expected(interval, 3))


def _listed(device: str, ago: int | None) -> Listed:
    return Listed(device, None if ago is None else format_time(_NOW - ago))


def test_what_is_news() -> None:
    """A page is told each device once, and again after each look at it."""
    known = Known()
    known.list({"a/1": None, "a/2": None})
    version = known.since(0).version
    first, second = _look("a/1"), _look("a/2")
    known.put(first)
    known.put(second)
    assert known.since(version) == News(version + 2, False, [first, second])  # noqa: FBT003
    assert known.since(version + 1).looks == [second]
    assert known.since(version + 2).looks == []
    again = _look("a/1", interval=_MINUTE)
    known.put(again)
    assert known.since(version + 2).looks == [again]
    assert known.since(version).looks == [again, second]
    assert known.count == 2


def test_a_page_that_knows_too_much_is_told_all() -> None:
    """So is one that knows nothing, of another server, or of a device that is gone since."""
    known = Known()
    known.list({"a/1": None, "a/2": None})
    first, second = _look("a/1"), _look("a/2")
    known.put(first)
    known.put(second)
    version = known.since(0).version
    for asked in (0, version + 5):
        assert known.since(asked) == News(version, True, [first, second])  # noqa: FBT003
    known.list({"a/2": None})
    assert known.since(version) == News(version + 1, True, [second])  # noqa: FBT003
    assert known.count == 1
    known.list({"a/2": _NOW})
    assert not known.since(version + 1).whole


def test_a_device_that_is_no_longer_listed_is_not_looked_at() -> None:
    """One that comes back is looked at again."""
    schedule = Schedule()
    schedule.add([_listed("a/1", 0), _listed("a/2", 0)])
    schedule.keep({"a/2"})
    assert schedule.take(_NOW) == ["a/2"]
    schedule.add([_listed("a/1", 0)])
    assert schedule.take(_NOW) == ["a/1"]


def test_whom_to_look_at_first() -> None:
    """Those that were not heard for the longest come first: the silent are known soon."""
    schedule = Schedule()
    schedule.add([_listed("a/new", 0), _listed("a/old", 9 * _HOUR), _listed("a/never", None)])
    assert schedule.take(_NOW) == ["a/never", "a/old", "a/new"]
    assert schedule.take(_NOW) == []


def test_a_list_that_comes_again() -> None:
    """A device that is known keeps its turn; one that is new is taken at once."""
    schedule = Schedule()
    schedule.add([_listed("a/1", _HOUR)])
    assert schedule.take(_NOW) == ["a/1"]
    schedule.add([_listed("a/1", 0), _listed("a/2", _HOUR)])
    assert schedule.take(_NOW) == ["a/2"]
    schedule.put_back("a/1", _NOW + _MINUTE)
    schedule.add([_listed("a/1", 0)])
    assert schedule.take(_NOW + _MINUTE - 1) == []
    assert schedule.take(_NOW + _MINUTE) == ["a/1"]


def test_not_all_at_once() -> None:
    """Many devices are taken in batches, each of them once."""
    schedule = Schedule()
    everyone = [_listed(f"a/{number}", number) for number in range(1000)]
    schedule.add(everyone)
    batches = [schedule.take(_NOW) for _ in range(4)]
    assert [len(batch) for batch in batches] == [_BATCH, _BATCH, 200, 0]
    assert {device for batch in batches for device in batch} == {each.device for each in everyone}


@pytest.mark.parametrize(
    ("interval", "heard", "then"),
    [
        (15 * _MINUTE, 0, 15 * _MINUTE + 10 * _SECOND),  # when the next one should be stored
        (15 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE + 10 * _SECOND),
        (15 * _MINUTE, 15 * _MINUTE, 15 * _SECOND),  # it may come any moment
        (15 * _MINUTE, 20 * _MINUTE, 7 * _MINUTE + 30 * _SECOND),  # it is late
        (15 * _MINUTE, 48 * _HOUR, 7 * _MINUTE + 30 * _SECOND),
        (_SECOND, 0, 15 * _SECOND),  # never more often
        (_SECOND, 48 * _HOUR, 15 * _SECOND),
        (24 * _HOUR, 0, _HOUR),  # never less often
        (24 * _HOUR, 90 * _HOUR, _HOUR),
        (None, 0, 10 * _MINUTE),  # nothing is expected
        (_MINUTE, None, 10 * _MINUTE),  # nothing is known
    ],
)
def test_when_to_look_again(interval: int | None, heard: int | None, then: int) -> None:
    """A device is looked at when its next uplink should be there, within bounds."""
    last = None if heard is None else _NOW - heard
    assert next_look(_look("a/1", interval, last)) == _NOW + then
