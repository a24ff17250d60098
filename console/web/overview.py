"""What is known of every device and gateway, from the last uplinks of each. Does no I/O.

Times are in microseconds since 1970.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from console.show.columns import RECEIVED, cells, plain
from console.store.recent import Recent
from console.store.summary import summarize
from contract.names import DECODE_ERROR, DECODE_WARNINGS, NAME, SORT_KEY
from contract.rows import Row, Value, number
from contract.silence import Expected, Intervals
from contract.times import parse_time

_SHOWN = 3  # values of a reading, in the table of all devices
_NOT_READ = {*RECEIVED, DECODE_ERROR, DECODE_WARNINGS}


@dataclass(frozen=True, slots=True)
class Reception:
    """How a gateway has heard a device: when last, and how well at best, in dBm and dB."""

    gateway: str
    last: int
    rssi: int | Decimal | None
    lsnr: int | Decimal | None


@dataclass(frozen=True, slots=True)
class Look:
    """A device as its last uplinks show it.

    ``looked`` is when. ``last`` is None where all have expired and nobody knows more. ``missing``
    are the uplinks between them that did not come. ``reading`` is text, ``error`` why the last one
    has none.
    """

    looked: int
    device: str
    name: str
    last: int | None
    expected: Expected
    uplinks: int
    missing: int
    rssi: int | Decimal | None
    lsnr: int | Decimal | None
    reading: str
    error: str
    receptions: tuple[Reception, ...]

    @property
    def silent(self) -> bool:
        """Whether it had missed too many uplinks when it was looked at."""
        if self.last is None:
            return False
        return self.expected.silent_since(self.last, self.looked) is not None


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway as the last uplinks of all devices show it."""

    gateway: str
    last: int
    devices: int
    rssi: int | Decimal | None
    lsnr: int | Decimal | None


def look(
    recent: Recent,
    last_seen: int | None,
    intervals: Intervals,
    now: int,
    interval: int | None = None,
) -> Look:
    """Say how a device does.

    ``last_seen`` and ``interval`` are from the list, for one whose uplinks have expired.
    """
    summary = summarize(recent.device, reversed(recent.rows))
    newest = recent.rows[0] if recent.rows else {}
    times = recent.times
    return Look(
        now,
        recent.device,
        name=next((str(row[NAME]) for row in recent.rows if row.get(NAME)), ""),
        last=times[0] if times else last_seen,
        expected=intervals.expected(recent.device, times, interval),
        uplinks=summary.uplinks,
        missing=summary.missing,
        rssi=summary.rssi,
        lsnr=summary.lsnr,
        reading=reading(newest, _SHOWN),
        error=str(cells(newest).get(DECODE_ERROR) or ""),
        receptions=tuple(_receptions(recent.rows)),
    )


def reading(row: Row, most: int) -> str:
    """Return the values of a reading in one line, so many at most."""
    values = [(name, each) for name, each in cells(row).items() if name not in _NOT_READ]
    more = ", …" * (len(values) > most)
    return ", ".join(f"{name} {plain(each)}" for name, each in values[:most]) + more


def gateways(looks: Iterable[Look]) -> list[Gateway]:
    """Return all gateways by name."""
    heard: dict[str, list[Reception]] = {}
    for each in looks:
        for reception in each.receptions:
            heard.setdefault(reception.gateway, []).append(reception)
    return [
        Gateway(
            gateway,
            max(each.last for each in found),
            len(found),
            best(each.rssi for each in found),
            best(each.lsnr for each in found),
        )
        for gateway, found in sorted(heard.items())
    ]


def _receptions(rows: Iterable[Row]) -> Iterator[Reception]:
    """Yield how each gateway has heard a device; the rows are the newest first."""
    found: dict[str, list[tuple[int, dict[str, Value]]]] = {}
    for row in rows:
        time = parse_time(str(row[SORT_KEY])) or 0
        for each in heard_by(row):
            found.setdefault(str(each["eui"]), []).append((time, each))
    for gateway, heard in found.items():
        rssi, lsnr = (best(each.get(name) for _, each in heard) for name in ("rssi", "lsnr"))
        yield Reception(gateway, heard[0][0], rssi, lsnr)


def heard_by(row: Row) -> list[dict[str, Value]]:
    """Return what the gateways say of an uplink, as far as they have an EUI."""
    gwrx = row.get("gwrx")
    found = gwrx if isinstance(gwrx, list) else []
    return [each for each in found if isinstance(each, dict) and each.get("eui") is not None]


def best(values: Iterable[Value]) -> int | Decimal | None:
    """Return the greatest of the values that are numbers."""
    numbers = (number(each) for each in values)
    return max((each for each in numbers if each is not None), default=None)
