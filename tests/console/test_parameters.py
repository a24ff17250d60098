"""Points in time are read as people type them."""

import pytest

from console.parameters import parse_point
from contract.times import parse_span, parse_time

NOW = 1_700_000_000_000_000
SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("45s", 45), ("45m", 2700), ("2h", 7200), ("7d", 604_800), ("1w", 604_800)],
)
def test_ages(text: str, seconds: int) -> None:
    """An age is that long before now."""
    assert parse_point(text, NOW) == NOW - seconds * SECOND


def test_an_age_before_1970_is_the_beginning() -> None:
    """An age longer than all time asks for everything."""
    assert parse_point("99999999w", NOW) == 0


@pytest.mark.parametrize("text", ["2026-11-22", "2026-11-22T10:00:00Z", "2026-11-22T12:00+02:00"])
def test_iso_8601(text: str) -> None:
    """A date, a time and a time with a zone are read as such."""
    assert parse_point(text, NOW) == parse_time(text)


@pytest.mark.parametrize("text", ["", "2", "h", "2y", "-2h", "2 h", "yesterday", "٢h"])
def test_anything_else_is_an_error(text: str) -> None:
    """What is neither is refused with both forms named."""
    with pytest.raises(ValueError, match="neither ISO 8601 nor an age such as 45m, 2h or 7d"):
        parse_point(text, NOW)


def test_spans() -> None:
    """A span of time is read alone, and nothing else is one."""
    assert parse_span("90s") == 90 * SECOND
    assert [parse_span(text) for text in ("90", "2026-11-22", "-1s")] == [None] * 3
