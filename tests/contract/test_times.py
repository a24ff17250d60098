"""Spans of time are shown as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.times import format_span, parse_span

_SECOND = 1_000_000


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (900, "15m"),
        (902.3, "15m"),
        (9000, "150m"),
        (3601, "1h"),
        (26 * 3600, "26h"),
        (86_400, "1d"),
        (7 * 86_400, "1w"),
        (45.4, "45s"),
        (0.2, "1s"),
    ],
)
def test_a_span_is_shown_in_the_largest_unit_that_says_it(seconds: float, shown: str) -> None:
    """A device that reports every quarter of an hour or so reports every 15m."""
    assert format_span(round(seconds * _SECOND)) == shown


@given(st.integers(20 * _SECOND, 10**15))
def test_what_is_shown_can_be_read(span: int) -> None:
    """It is a span that a file may say, and near to what it shows."""
    read = parse_span(format_span(span))
    assert read is not None
    assert abs(read - span) <= 0.03 * span
