"""When a device is silent: how often it usually reports, and how many uplinks it may miss.

Times are in microseconds since 1970, intervals in microseconds. Does no I/O but to read the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Annotated

import msgspec

from contract.errors import BridgeError
from contract.eui import EUI_PATTERN
from contract.times import parse_span

LOOKED_AT = 20
"""Uplinks, the newest of a device, from which its interval is learnt."""
_FEWEST = 3  # intervals that are looked at before anything is said of a device
_ON_ITS_WAY = 10_000_000  # microseconds until an uplink that was sent is in the table
_BURST = 10  # times shorter than most others: the interval is within one report
NEVER = "never"
"""What a file says of devices that report when something happens: they are never silent."""

_Eui = Annotated[str, msgspec.Meta(pattern=rf"^{EUI_PATTERN}\Z")]
_Missed = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file. A key that it leaves out matches everything."""

    every: str
    application: _Eui | None = None
    device: _Eui | None = None
    device_prefix: _Eui | None = None
    missed: _Missed | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    missed: _Missed = 3
    interval: tuple[_Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """How often a device reports: ``interval`` None where nothing is known, or nothing expected.

    It is silent when it has missed ``missed`` uplinks.
    """

    interval: int | None
    missed: int

    @property
    def patience(self) -> int | None:
        """How long after its last uplink it is silent, None for never."""
        return None if self.interval is None else self.missed * self.interval + _ON_ITS_WAY

    def silent_since(self, newest: int, now: int) -> int | None:
        """Return ``newest``, the time of its last uplink, if the device is silent now."""
        return newest if self.patience is not None and now > newest + self.patience else None


@dataclass(frozen=True, slots=True)
class Intervals:
    """What the operator says of intervals; that of all others is learnt."""

    missed: int = 3
    entries: tuple[tuple[_Entry, int | None], ...] = ()
    """Each with its interval, None for ``never``; the first one that fits holds."""

    def expected(self, device: str, times: Sequence[int]) -> Expected:
        """Return how often ``APPEUI/MOTEEUI`` reports; ``times`` are those of its last uplinks."""
        for entry, interval in self.entries:
            if _fits(entry, *device.split("/")):
                return Expected(interval, entry.missed or self.missed)
        return Expected(usual_interval(times), self.missed)


def load_intervals(path: Path) -> Intervals:
    """Read a file of intervals.

    Raises:
        BridgeError: naming the file, and what is wrong with it.

    """
    try:
        found = msgspec.toml.decode(path.read_text(encoding="utf-8-sig"), type=_File)
        return Intervals(found.missed, tuple((each, _interval(each)) for each in found.interval))
    except OSError as error:
        raise BridgeError(f"{path}: cannot read it: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BridgeError(f"{path}: {str(error).replace('`$.', '`')}") from None


def usual_interval(times: Sequence[int]) -> int | None:
    """Return the median of the intervals between uplinks, None where there are too few.

    What a device sends at once, in several uplinks, counts as one.
    """
    ordered = sorted(times)
    between = sorted(later - earlier for earlier, later in pairwise(ordered) if later > earlier)
    if len(between) < _FEWEST:
        return None
    long = between[len(between) * 3 // 4]
    return round(median(each for each in between if each * _BURST >= long))


def _interval(entry: _Entry) -> int | None:
    if entry.device is not None and entry.device_prefix is not None:
        raise ValueError("both device and device_prefix: leave one out")
    if entry.every == NEVER:
        return None
    span = parse_span(entry.every)
    if not span:
        raise ValueError(f"every: {entry.every!r} is neither a time such as 15m or 1h, nor {NEVER}")
    return span


def _fits(entry: _Entry, application: str, device: str) -> bool:
    return (
        (entry.application or application).lower() == application.lower()
        and (entry.device or device).lower() == device.lower()
        and device.lower().startswith((entry.device_prefix or "").lower())
    )
