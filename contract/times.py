"""Reads and writes points in time, whole microseconds since 1970 in UTC, and spans of it.

Does no I/O.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN = re.compile(r"([0-9]{1,8})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NEAR = 0.03  # of a span: what is shown may differ by so much
_FIRST, _LAST = -62_135_596_800 * _SECOND, 253_402_300_800 * _SECOND - 1  # years 1 to 9999


def parse_time(text: str) -> int | None:
    """Return an ISO 8601 time, UTC where it names no zone; None when it is not one.

    It can be formatted: a time whose zone takes it out of the years 1 to 9999 in UTC is none.
    """
    try:
        time = datetime.fromisoformat(text)
        since = (time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH
    except (ValueError, OverflowError):
        return None
    micros = (since.days * 86_400 + since.seconds) * _SECOND + since.microseconds
    return micros if _FIRST <= micros <= _LAST else None


def parse_span(text: str) -> int | None:
    """Return the microseconds that ``text`` names, such as 45s or 2h; None where it names none."""
    span = _SPAN.fullmatch(text)
    if span is None:
        return None
    return timedelta(**{_UNITS[span[2]]: int(span[1])}) // timedelta(microseconds=1)


def format_span(span: int) -> str:
    """Return about how long microseconds are, in the largest unit that says it, such as 15m."""
    for unit, name in reversed(_UNITS.items()):
        length = timedelta(**{name: 1}) // timedelta(microseconds=1)
        count = round(span / length)
        if count and abs(count * length - span) <= span * _NEAR:
            return f"{count}{unit}"
    return f"{max(1, round(span / _SECOND))}s"


def format_time(time: int) -> str:
    """Return ``time`` as ISO 8601 with six fractional digits and ``Z``."""
    seconds, micros = divmod(time, _SECOND)
    return f"{_format_seconds(seconds)}.{micros:06d}Z"


@lru_cache(256)  # uplinks of the same second follow each other
def _format_seconds(seconds: int) -> str:
    # Not strftime, which writes the year 900 with three digits where glibc does.
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")
