"""Reads points in time as people type them: ISO 8601, or an age such as 2h or 7d."""

import re
from datetime import timedelta

from contract.times import parse_time

_AGE = re.compile(r"([0-9]{1,8})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_point(text: str, now: int) -> int:
    """Return the time that ``text`` names, in microseconds since 1970; ``now`` likewise.

    Raises:
        ValueError: it is neither ISO 8601 nor an age.

    """
    age = _AGE.fullmatch(text)
    if age is None:
        time = parse_time(text)
        if time is None:
            raise ValueError(f"{text!r} is neither ISO 8601 nor an age such as 45m, 2h or 7d")
        return time
    back = timedelta(**{_UNITS[age[2]]: int(age[1])})
    return max(0, now - back // timedelta(microseconds=1))
