"""What a device has done in a period."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.store.summary import Device, gaps, summarize
from contract.rows import Row, Value


def uplink(number: int, **attributes: Value) -> Row:
    """Return a row of the device, in order of ``number``."""
    return {"device": "a/d", "timestamp": f"2026-11-22T10:00:{number:02}Z", **attributes}


def test_what_is_summed_up() -> None:
    """The newest time, the count, the gap in seqno, and the best of any gateway."""
    rows = [
        uplink(1, seqno=1, gwrx=[{"rssi": -90, "lsnr": Decimal("9.5")}, {"rssi": -40, "lsnr": -2}]),
        uplink(2, seqno=2, gwrx=[{"rssi": -100}]),
        uplink(3, seqno=6, gwrx=None),
    ]
    assert summarize("a/d", rows) == Device(
        "a/d", "2026-11-22T10:00:03Z", 3, 3, -40, Decimal("9.5")
    )


def test_nothing_is_known_of_a_silent_device() -> None:
    """Without uplinks there is no time and no signal, and nothing is missing."""
    assert summarize("a/d", []) == Device("a/d", None, 0, 0, None, None)


@pytest.mark.parametrize(
    ("seqnos", "missing"),
    [
        ([5], 0),
        ([1, 2, 2, 3], 0),
        ([65000, 1, 2], 0),
        ([9, 1, 3], 1),
        ([1, None, 4], 2),
        ([5, 4, 6], 0),
        ([5, 6, 7, 5, 8], 0),
        ([5, 7, 6, 8], 0),
        ([1, 5000], 4998),
        ([1, 5000, 4999, 4998], 4996),
    ],
)
def test_only_gaps_are_missing(seqnos: list[int | None], missing: int) -> None:
    """Repetitions, late frames and new beginnings hide nothing and invent nothing."""
    rows = [uplink(number, seqno=seqno) for number, seqno in enumerate(seqnos)]
    assert summarize("a/d", rows).missing == missing


@given(st.sets(st.integers(1, 10_000), min_size=1, max_size=50))
def test_missing_and_arrived_make_up_the_range(seqnos: set[int]) -> None:
    """Of a device that did not restart, each seqno from first to last arrived or is missing."""
    found = summarize("a/d", [uplink(0, seqno=seqno) for seqno in sorted(seqnos)])
    assert found.uplinks + found.missing == max(seqnos) - min(seqnos) + 1


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_no_more_is_missing_than_the_range_lacks(seqnos: list[int]) -> None:
    """However they come, what is missing did not come, and lies within what did."""
    found = summarize("a/d", [uplink(0, seqno=seqno) for seqno in seqnos])
    between = range(min(seqnos), max(seqnos) + 1)
    assert 0 <= found.missing <= len(set(between) - set(seqnos))


def test_odd_receptions_are_passed_over() -> None:
    """What something else stored as gwrx costs no summary."""
    odd: list[Value] = [None, "x", {"rssi": "loud", "lsnr": True}]
    assert summarize("a/d", [uplink(1, gwrx=odd), uplink(2, gwrx="x")]).rssi is None


@pytest.mark.parametrize(
    ("seqnos", "found"),
    [
        ([1, 2, 3], []),
        ([1, 4, 5], [(2, 2)]),
        ([1, 4, 3, 9], [(2, 1), (4, 4)]),
        ([1, 4, 3, 2], []),
        ([9, 1, 3], [(3, 1)]),
    ],
)
def test_where_seqnos_are_missing(seqnos: list[int], found: list[tuple[int, int]]) -> None:
    """A gap is before the uplink that shows it, and a late uplink makes it smaller."""
    rows = [uplink(number, seqno=seqno) for number, seqno in enumerate(seqnos, 1)]
    told = [(int(gap.timestamp[17:19]), gap.missing) for gap in gaps(rows)]
    assert told == found


@given(st.lists(st.integers(0, 30)))
def test_gaps_add_up_to_what_is_missing(seqnos: list[int]) -> None:
    """Whatever comes, the gaps are those that the summary counts."""
    rows = [uplink(number, seqno=seqno) for number, seqno in enumerate(seqnos)]
    assert sum(gap.missing for gap in gaps(rows)) == summarize("a/d", rows).missing
