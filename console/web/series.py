"""What charts and tables show of the uplinks of a device. Does no I/O.

Times are in milliseconds since 1970, as scripts have them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from console.show.columns import RECEIVED, cells, plain
from console.show.curve import Points
from console.store.summary import gaps
from console.web.overview import heard_by, reading
from contract.names import DECODE_ERROR, DECODE_WARNINGS, SORT_KEY
from contract.rows import Row, Value, number
from contract.times import parse_time

_MILLISECOND = 1_000  # microseconds
_SIGNAL = ("rssi", "lsnr")
_NOT_DRAWN = {*RECEIVED, DECODE_ERROR, DECODE_WARNINGS} - {*_SIGNAL}
_CHARTS, _READ, _NAMED = 24, 100, 20  # a codec may make any number of fields


@dataclass(frozen=True)
class Chart:
    """A field over time: its values, the earliest first."""

    name: str
    times: list[int]
    values: list[float]


@dataclass(frozen=True)
class Uplink:
    """An uplink as the table shows it; its parts are texts, empty where there is nothing.

    ``values`` are the numbers that charts take.
    """

    timestamp: str
    seqno: str
    port: str
    bytes: str
    reading: str
    error: str
    signal: str
    values: dict[str, float]


class Series:
    """The uplinks of a device, the newest first, as charts and gaps; in bounded memory."""

    def __init__(self) -> None:
        self.count = 0
        self._points = {name: Points() for name in _SIGNAL}
        self._beyond: dict[str, None] = {}
        self._seqnos: list[Row] = []

    def add(self, row: Row) -> None:
        """Take the uplink before the last."""
        self.count += 1
        self._seqnos.append({SORT_KEY: row[SORT_KEY], "seqno": row.get("seqno")})
        time = parse_time(str(row[SORT_KEY]))
        for name, value in values(row).items():
            if len(self._points) < _CHARTS:
                self._points.setdefault(name, Points())
            if name not in self._points:
                if len(self._beyond) < _NAMED:
                    self._beyond[name] = None
            elif time is not None:
                self._points[name].add(time // _MILLISECOND, value)

    @property
    def charts(self) -> list[Chart]:
        """A chart for each number, by name, those of the signal last."""
        names = [*sorted(self._points.keys() - {*_SIGNAL}), *_SIGNAL]
        found = (_chart(name, self._points[name]) for name in names)
        return [each for each in found if each.times]

    @property
    def beyond(self) -> list[str]:
        """The names of numbers that are too many for charts, some of them."""
        return [*self._beyond]

    @property
    def missing(self) -> list[tuple[int, int]]:
        """When frames were missed, and how many."""
        found = ((parse_time(gap.timestamp), gap.missing) for gap in gaps(reversed(self._seqnos)))
        return [(time // _MILLISECOND, count) for time, count in found if time is not None]

    @property
    def first(self) -> Value:
        """The timestamp of the earliest uplink."""
        return self._seqnos[-1][SORT_KEY] if self._seqnos else None


def values(row: Row) -> dict[str, float]:
    """Return the numbers of an uplink that can be drawn, by the names of their charts."""
    heights = ((name, _height(each)) for name, each in cells(row).items() if name not in _NOT_DRAWN)
    return {name: height for name, height in heights if height is not None}


def uplink(row: Row) -> Uplink:
    """Return what the table shows of an uplink."""
    shown = cells(row)
    error = shown.get(DECODE_ERROR)
    return Uplink(
        str(row[SORT_KEY]),
        plain(shown["seqno"]),
        plain(shown["port"]),
        plain(shown["bytes"]),
        reading(row, _READ),
        plain(error),
        ", ".join(_signals(row)),
        dict(islice(values(row).items(), _CHARTS)),
    )


def _height(value: Value) -> float | None:
    """Return a number as it is drawn, None where it is none or beyond all charts."""
    found = number(value)
    try:
        height = math.inf if found is None else float(found)
    except OverflowError:  # gateways may say anything
        return None
    return height if math.isfinite(height) else None


def _signals(row: Row) -> Iterable[str]:
    """Yield how each gateway has heard an uplink."""
    for each in heard_by(row):
        units = (("rssi", "dBm"), ("lsnr", "dB"))
        values = (f" {each[name]} {unit}" for name, unit in units if each.get(name) is not None)
        yield f"{each['eui']}{''.join(values)}"


def _chart(name: str, points: Points) -> Chart:
    curve = points.in_order
    return Chart(name, [time for time, _ in curve], [value for _, value in curve])
