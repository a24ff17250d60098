"""Writes history rows for people (table), programs (JSON) and spreadsheets (CSV), as they come."""

import csv
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from enum import StrEnum
from io import StringIO

import msgspec

from bridge.names import PARTITION_KEY, SORT_KEY
from bridge.rows import Row, Value, port_and_data

_COLUMNS = ("seqno", "port", "freq", "datr", "gwrx", "rssi", "lsnr", "bytes")
_encoder = msgspec.json.Encoder(decimal_format="number")
_TABLE = "{:27} {:>5} {:>4} {:>6} {:>9} {:>4} {:>5} {:>5} {}"  # 80 wide with 3 bytes


class Format(StrEnum):
    """How history is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def render(rows: Iterable[Row], form: Format) -> Iterator[str]:
    """Yield the lines, without their ends, that show ``rows`` in the form asked for."""
    writers: dict[Format, Callable[[Iterable[Row]], Iterator[str]]] = {
        Format.TABLE: _table,
        Format.JSON: _json,
        Format.CSV: _csv,
    }
    return writers[form](rows)


def _table(rows: Iterable[Row]) -> Iterator[str]:
    for number, row in enumerate(rows):
        if number == 0:
            yield _TABLE.format(SORT_KEY, *_COLUMNS)
        yield _TABLE.format(str(row[SORT_KEY]), *_cells(row))


def _json(rows: Iterable[Row]) -> Iterator[str]:
    """Write one array, a row a line."""
    yield "["
    line = ""
    for row in rows:
        if line:
            yield line + ","
        line = _encoder.encode(row).decode()
    if line:
        yield line
    yield "]"


def _csv(rows: Iterable[Row]) -> Iterator[str]:
    yield _csv_line((PARTITION_KEY, SORT_KEY, *_COLUMNS))
    for row in rows:
        yield _csv_line((str(row[PARTITION_KEY]), str(row[SORT_KEY]), *_cells(row)))


def _csv_line(cells: tuple[str, ...]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _cells(row: Row) -> tuple[str, ...]:
    """Return the cells of ``_COLUMNS``: ``gwrx`` as a count, ``rssi`` and ``lsnr`` of the best."""
    motetx = row.get("motetx")
    radio = motetx if isinstance(motetx, dict) else {}
    gwrx = row.get("gwrx")
    gateways = [each for each in gwrx if isinstance(each, dict)] if isinstance(gwrx, list) else []
    best = max(gateways, key=_strength, default={})
    content = port_and_data(row)
    return (
        _text(row.get("seqno")),
        str(content[0]) if content else "",
        _text(radio.get("freq")),
        _text(radio.get("datr")),
        str(len(gateways)) if gateways else "",
        _text(best.get("rssi")),
        _text(best.get("lsnr")),
        content[1].hex() if content else "",
    )


def _strength(reception: dict[str, Value]) -> Decimal:
    rssi = reception.get("rssi")
    return Decimal(rssi) if isinstance(rssi, int | Decimal) else Decimal("-Infinity")


def _text(value: Value) -> str:
    text = "" if value is None else str(value)
    return text if text.isprintable() else ascii(text)  # a frame must not speak to the terminal
