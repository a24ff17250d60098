"""When a device is silent: how often it usually reports, and how many uplinks it may miss.

Times are in microseconds since 1970, intervals in microseconds. Does no I/O but to read the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Annotated

import msgspec

from contract.errors import BridgeError
from contract.eui import EUI_PATTERN
from contract.times import parse_span

INTERVALS_FILE = "intervals.toml"
LOOKED_AT = 20
"""Uplinks, the newest of a device, from which its interval is learnt."""
WATCHED_EVERY = 300_000_000
"""Microseconds from run to run of the function that tells of silent devices."""
AHEAD = 300_000_000
"""Microseconds that the clock of a gateway may be ahead, and the bridge still believes it."""
_FEWEST = 3  # intervals that are looked at before anything is said of a device
_ON_ITS_WAY = 10_000_000  # microseconds until an uplink that was sent is in the table
_LATE = 300_000_000  # microseconds, the most that a device may report later than usual
_BURST = 10  # times shorter than others: the interval is within one report
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

    It is silent when it has missed ``missed`` uplinks, and none of them is just late.
    """

    interval: int | None
    missed: int

    @property
    def patience(self) -> int | None:
        """How long after its last uplink it is silent, None for never."""
        return None if self.interval is None else patience(self.interval, self.missed)

    def silent_since(self, newest: int, now: int) -> int | None:
        """Return ``newest``, the time of its last uplink, if the device is silent now."""
        return newest if self.patience is not None and now > newest + self.patience else None


@dataclass(frozen=True, slots=True)
class Intervals:
    """What the operator says of intervals; that of all others is learnt."""

    missed: int = 3
    entries: tuple[tuple[_Entry, int | None], ...] = ()
    """Each with its interval, None for ``never``; the first one that fits holds."""

    def said(self, device: str) -> Expected | None:
        """Return what is said of ``APPEUI/MOTEEUI``, None where that is nothing."""
        application, _, eui = device.partition("/")
        for entry, interval in self.entries:
            if _fits(entry, application, eui):
                return Expected(interval, entry.missed or self.missed)
        return None

    def expected(self, device: str, times: Sequence[int], noted: int | None = None) -> Expected:
        """Return how often ``APPEUI/MOTEEUI`` reports; ``times`` are those of its last uplinks.

        Where they are too few, because others have expired, the interval that was ``noted`` holds.
        """
        return self.said(device) or Expected(usual_interval(times) or noted, self.missed)


def patience(interval: int, missed: int) -> int:
    """Return how long after its last uplink such a device is silent: the one missed last is late.

    No device is quite punctual.
    """
    return missed * interval + min(interval // 2, _LATE) + _ON_ITS_WAY


def load_intervals(path: Path) -> Intervals:
    """Read a file of intervals.

    Raises:
        BridgeError: naming the file, and what is wrong with it.

    """
    try:
        found = msgspec.toml.decode(path.read_text(encoding="utf-8-sig"), type=_File)
        intervals = [_interval(number, each) for number, each in enumerate(found.interval)]
        return Intervals(found.missed, tuple(zip(found.interval, intervals, strict=True)))
    except OSError as error:
        raise BridgeError(f"{path}: cannot read it: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BridgeError(f"{path}: {str(error).replace('`$.', '`')}") from None


def intervals_digest(path: Path) -> str:
    """Return 16 hexadecimal digits of a file of intervals.

    Raises:
        BridgeError: it cannot be read.

    """
    try:
        return sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise BridgeError(f"{path}: cannot read it: {error.strerror}") from None


def usual_interval(times: Sequence[int]) -> int | None:
    """Return the median of the intervals between uplinks, None where there are too few.

    What a device sends at once, in several uplinks, counts as one.
    """
    ordered = sorted(times)
    between = sorted(later - earlier for earlier, later in pairwise(ordered) if later > earlier)
    if len(between) < _FEWEST:
        return None
    long = between[-_FEWEST]  # not one that was long but once or twice
    return round(median(each for each in between if each * _BURST >= long))


def _interval(number: int, entry: _Entry) -> int | None:
    if entry.device is not None and entry.device_prefix is not None:
        raise ValueError(f"interval[{number}]: both device and device_prefix: leave one out")
    if entry.every == NEVER:
        return None
    span = parse_span(entry.every)
    if not span:
        raise ValueError(
            f"interval[{number}]: every: {entry.every!r} is neither a time such as 15m or 1h,"
            f" nor {NEVER}"
        )
    return span


def _fits(entry: _Entry, application: str, device: str) -> bool:
    return (
        (entry.application or application).lower() == application.lower()
        and (entry.device or device).lower() == device.lower()
        and device.lower().startswith((entry.device_prefix or "").lower())
    )
