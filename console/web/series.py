"""What charts and tables show of the uplinks of a device. Does no I/O.

Times are in milliseconds since 1970, as scripts have them.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
_CHARTS, _READ = 24, 100  # a codec may make any number of fields


@dataclass(frozen=True)
class Chart:
    """A field over time: its values, the earliest first."""

    name: str
    times: list[int]
    values: list[float]


@dataclass(frozen=True)
class Uplink:
    """An uplink as the table shows it; its parts are texts, empty where there is nothing."""

    timestamp: str
    seqno: str
    port: str
    bytes: str
    reading: str
    error: str
    signal: str


def charts(rows: Sequence[Row]) -> tuple[list[Chart], list[str]]:
    """Return a chart for each number, those of the signal last; and the names of what is too much.

    The rows come newest first.
    """
    found: dict[str, Points] = {}
    for row in rows:
        time = parse_time(str(row[SORT_KEY]))
        for name, value in cells(row).items():
            height = None if name in _NOT_DRAWN else _height(value)
            if height is not None and time is not None:
                found.setdefault(name, Points()).add(time // _MILLISECOND, height)
    names = [*sorted(found.keys() - {*_SIGNAL}), *(name for name in _SIGNAL if name in found)]
    return [_chart(name, found[name]) for name in names[:_CHARTS]], names[_CHARTS:]


def missing(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Return when frames were missed, and how many; the rows come newest first."""
    found = ((parse_time(gap.timestamp), gap.missing) for gap in gaps(reversed(rows)))
    return [(time // _MILLISECOND, count) for time, count in found if time is not None]


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
