"""When a device is silent: what is learnt, what a file says, and what is wrong with the file."""

from itertools import accumulate, pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import BridgeError
from contract.silence import (
    LOOKED_AT,
    Expected,
    Intervals,
    intervals_digest,
    load_intervals,
    usual_interval,
)

_MINUTE = 60_000_000
_HOUR = 60 * _MINUTE
_NOW = 1_795_000_000_000_000
_QUARTERLY = [_NOW - number * 15 * _MINUTE for number in range(LOOKED_AT)]

_times = st.lists(st.integers(0, _NOW), max_size=LOOKED_AT)


def intervals(folder: Path, text: str) -> Intervals:
    """Read a file with this text."""
    path = folder / "intervals.toml"
    path.write_text(text)
    return load_intervals(path)


@pytest.mark.parametrize(
    ("minutes", "usual"),
    [
        ([], None),
        ([0], None),
        ([0, 15, 30], None),
        ([0, 0, 0, 0, 0, 0], None),
        ([0, 15, 30, 45], 15),
        ([45, 0, 30, 15], 15),
        ([0, 15, 30, 30, 45], 15),
        ([0, 10, 20, 30, 60, 70], 10),  # two were lost
        ([0, 15, 30, 45, 2000, 2015, 2030, 4000, 4015], 15),  # it was off twice
        ([0, 60, 180, 240, 10_000], 90),
    ],
)
def test_the_usual_interval_is_the_median(minutes: list[int], usual: int | None) -> None:
    """In whatever order; of four uplinks or more, since three intervals are the fewest."""
    found = usual_interval([_NOW + each * _MINUTE for each in minutes])
    assert found == (None if usual is None else usual * _MINUTE)


@pytest.mark.parametrize("at_once", range(1, 7))
def test_uplinks_of_one_report_count_as_one(at_once: int) -> None:
    """A device that sends up to six uplinks at once, two seconds apart, reports each hour."""
    times = [
        _NOW - number // at_once * _HOUR - number % at_once * 2_000_000
        for number in range(LOOKED_AT)
    ]
    found = usual_interval(times)
    assert found is not None
    assert 0.99 * _HOUR < found <= _HOUR


def test_lost_and_late_uplinks_change_little() -> None:
    """With a fifth of the uplinks lost, each up to a minute late, 15 minutes are 13 to 31."""
    random = Random(1)
    for _ in range(200):
        sent = [number * 15 * _MINUTE for number in range(200) if random.random() > 0.2]
        times = [time + random.randrange(_MINUTE) for time in sent[-LOOKED_AT:]]
        found = usual_interval(times)
        assert found is not None
        assert 13 * _MINUTE < found < 31 * _MINUTE


@given(_times)
def test_the_usual_interval_is_one_that_occurred(times: list[int]) -> None:
    """It is neither shorter nor longer than all that lie between two uplinks."""
    found = usual_interval(times)
    ordered = sorted(set(times))
    if found is None:
        assert len(ordered) < 4
    else:
        between = [later - earlier for earlier, later in pairwise(ordered)]
        assert min(between) <= found <= max(between)


@given(_times, st.integers(0, _NOW), st.randoms())
def test_only_what_lies_between_uplinks_counts(
    times: list[int], later: int, random: Random
) -> None:
    """Neither their order nor the date makes a difference."""
    shuffled = [time + later for time in times]
    random.shuffle(shuffled)
    assert usual_interval(shuffled) == usual_interval(times)


@given(st.lists(st.integers(_MINUTE, 9 * _MINUTE), min_size=3, max_size=LOOKED_AT - 1))
def test_a_device_that_goes_on_as_before_is_not_silent(between: list[int]) -> None:
    """No device is silent before it has missed three uplinks, and the third is half as late."""
    times = [*accumulate(between, initial=_NOW)]
    expected = Intervals().expected("a/d", times)
    assert expected.interval is not None
    assert expected.patience is not None
    last = 3 * expected.interval + min(expected.interval // 2, 5 * _MINUTE) + 10_000_000
    assert expected.patience == last
    assert expected.silent_since(times[-1], times[-1] + last) is None
    assert expected.silent_since(times[-1], times[-1] + last + 1) == times[-1]


def test_nothing_is_said_where_nothing_is_known_or_expected() -> None:
    """Such a device is never silent, and never due."""
    assert Expected(None, 3).patience is None
    assert Expected(None, 3).silent_since(0, _NOW) is None
    assert Intervals().expected("a/d", _QUARTERLY[:3]) == Expected(None, 3)


def test_what_the_file_says_holds(tmp_path: Path) -> None:
    """The first entry that fits does; of others the interval is learnt."""
    found = intervals(
        tmp_path,
        """
        missed = 5
        [[interval]]
        device = "BUTTON-1"
        every = "never"
        [[interval]]
        application = "37817737F13"
        device_prefix = "00AA"
        every = "2h"
        missed = 1
        [[interval]]
        application = "37817737f13"
        every = "1d"
        """,
    )
    said = {
        "37817737f13/button-1": Expected(None, 5),
        "b/Button-1": Expected(None, 5),
        "37817737f13/00aa01": Expected(2 * _HOUR, 1),
        "37817737F13/00AA02": Expected(2 * _HOUR, 1),
        "37817737f13/00ab": Expected(24 * _HOUR, 5),
    }
    assert {device: found.said(device) for device in said} == said
    assert {device: found.expected(device, _QUARTERLY) for device in said} == said
    assert found.said("b/00aa01") is None
    assert found.expected("b/00aa01", _QUARTERLY) == Expected(15 * _MINUTE, 5)


def test_what_was_noted_holds_where_too_few_uplinks_are_left(tmp_path: Path) -> None:
    """Neither against enough of them nor against the file, which may say never."""
    assert Intervals().expected("a/d", _QUARTERLY[:3], _HOUR) == Expected(_HOUR, 3)
    assert Intervals(missed=5).expected("a/d", [], _HOUR) == Expected(_HOUR, 5)
    assert Intervals().expected("a/d", _QUARTERLY, _HOUR) == Expected(15 * _MINUTE, 3)
    never = intervals(tmp_path, '[[interval]]\nevery = "never"')
    assert never.expected("a/d", [], _HOUR) == Expected(None, 3)


def test_an_entry_that_names_nobody_holds_for_all(tmp_path: Path) -> None:
    """So a network whose devices are all alike needs to be told once."""
    assert intervals(tmp_path, '[[interval]]\nevery = "1h"').said("a/d") == Expected(_HOUR, 3)


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    """It is as none; a byte order mark is none of its characters."""
    assert intervals(tmp_path, "") == intervals(tmp_path, "\ufeff") == Intervals()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[interval]]\n", "missing required field `every` - at `interval[0]`"),
        ("missed = 0", "`missed`"),
        ("missed = 1001", "`missed`"),
        ("interval = 3", "`interval`"),
        ("silent = 3", "unknown field `silent`"),
        ('[[interval]]\nevery = "1h"\nprefix = "a"', "unknown field `prefix` - at `interval[0]`"),
        ('[[interval]]\nevery = "1h"\ndevice = "a/b"', "`interval[0].device`"),
        ('[[interval]]\nevery = "1h"\nmissed = 0', "`interval[0].missed`"),
        ("[[interval]]\nevery = 900", "`interval[0].every`"),
        (
            '[[interval]]\nevery = "1h"\n[[interval]]\nevery = "often"',
            "interval[1]: every: 'often' is neither a time such as 15m or 1h, nor never",
        ),
        ('[[interval]]\nevery = "0h"', "interval[0]: every: '0h' is neither a time"),
        (
            '[[interval]]\nevery = "1h"\ndevice = "a"\ndevice_prefix = "a"',
            "interval[0]: both device and device_prefix: leave one out",
        ),
        ("every = ", "invalid value"),
    ],
)
def test_each_mistake_has_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    """It names the file, the entry and what is wrong."""
    with pytest.raises(BridgeError) as caught:
        intervals(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'intervals.toml'}: ")
    assert complaint.lower() in said.lower()
    assert len(said.splitlines()) == 1


def test_a_file_that_is_not_there_has_its_line(tmp_path: Path) -> None:
    """Also where only its digest is wanted."""
    for read in (load_intervals, intervals_digest):
        with pytest.raises(BridgeError, match=r"none\.toml: cannot read it: No such file"):
            read(tmp_path / "none.toml")


def test_a_file_is_told_from_another(tmp_path: Path) -> None:
    """The digest changes with what is in it, and is short."""
    path = tmp_path / "intervals.toml"
    path.write_text("missed = 3")
    first = intervals_digest(path)
    path.write_text("missed = 4")
    assert len(first) == 16
    assert intervals_digest(path) != first
