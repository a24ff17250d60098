"""Writes rows and records as they come.

For people as a table, for programs as JSON, for spreadsheets as CSV.
"""

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from enum import StrEnum
from io import StringIO
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import msgspec

from console.show.columns import Columns, plain, text
from contract.names import PARTITION_KEY, SORT_KEY
from contract.rows import Row, Value
from contract.terminal import harmless

_WIDTHS = {"seqno": 5, "port": 4, "freq": 6, "datr": 9, "gwrx": 4, "rssi": 4, "lsnr": 5}
_TIME_WIDTH = 27
_BYTE_ORDER_MARK = "\ufeff"  # by which a spreadsheet knows UTF-8
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_encoder = msgspec.json.Encoder(decimal_format="number")


if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Record = TypeVar("_Record", bound="DataclassInstance")


class Format(StrEnum):
    """How history is written as text."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Reader(StrEnum):
    """Who reads what is written: CSV differs."""

    TERMINAL = "terminal"
    PROGRAM = "program"
    SPREADSHEET = "spreadsheet"


def render(
    rows: Iterable[Row], form: Format, columns: Columns, reader: Reader = Reader.TERMINAL
) -> Iterator[str]:
    """Yield the lines, without their ends, that show ``rows`` in the form asked for."""
    match form:
        case Format.TABLE:
            return _table(rows, columns)
        case Format.JSON:
            return _json(rows, columns)
        case Format.CSV:
            return _csv(rows, columns, reader)


def _table(rows: Iterable[Row], columns: Columns) -> Iterator[str]:
    for number, row in enumerate(rows):
        if number == 0:
            yield _line(SORT_KEY, map(text, columns.names), columns)
        yield _line(str(row[SORT_KEY]), map(text, columns.values(row)), columns)


def render_records(
    records: Iterable[_Record], kind: type[_Record], layout: str, form: Format
) -> Iterator[str]:
    """Yield the lines that show dataclasses of one ``kind``, each field a column.

    ``layout`` is a format string with a place for each field; a table is laid out by it.
    """
    names = [each.name for each in fields(kind)]
    cell = plain if form is Format.CSV and not sys.stdout.isatty() else text
    lines = ([cell(getattr(record, name)) for name in names] for record in records)
    match form:
        case Format.TABLE:
            return (layout.format(*line).rstrip() for line in chain([names], lines))
        case Format.JSON:
            return _array(records)
        case Format.CSV:
            return map(_csv_line, chain([names], lines))


def render_whole(shown: Mapping[str, object]) -> str:
    """Show one thing as JSON over many lines."""
    return harmless(msgspec.json.format(_encoder.encode(shown)).decode())


def _line(time: str, cells: Iterable[str], columns: Columns) -> str:
    """Put cells below their names: numbers end there, bytes and texts begin there."""
    padded = (
        _padded(cell, max(_WIDTHS.get(name, 0), len(name), width), left=name in columns.left)
        for name, width, cell in zip(columns.names, columns.widths, cells, strict=True)
    )
    return " ".join([time.ljust(_TIME_WIDTH), *padded]).rstrip()


def _padded(cell: str, width: int, *, left: bool) -> str:
    return cell.ljust(width) if left else cell.rjust(width)


def _json(rows: Iterable[Row], columns: Columns) -> Iterator[str]:
    """Show rows as they are stored, or the fields asked for."""
    if not columns.asked:
        return _array(rows)
    values = ((row, zip(columns.names, columns.values(row), strict=True)) for row in rows)
    return _array({SORT_KEY: row[SORT_KEY], **dict(found)} for row, found in values)


def _array(items: Iterable[object]) -> Iterator[str]:
    """Write one array, an item a line, each without waiting for the next."""
    yield "["
    before = " "
    for item in items:
        yield before + harmless(_encoder.encode(item).decode())
        before = ","
    yield "]"


def _formula_as_text(value: Value) -> str:
    """Return a cell that a spreadsheet does not compute."""
    shown = plain(value)
    return f"'{shown}" if isinstance(value, str) and shown.startswith(_FORMULA) else shown


_CELLS: dict[Reader, Callable[[Value], str]] = {
    Reader.TERMINAL: text,
    Reader.PROGRAM: plain,
    Reader.SPREADSHEET: _formula_as_text,
}


def _csv(rows: Iterable[Row], columns: Columns, reader: Reader) -> Iterator[str]:
    cell = _CELLS[reader]
    mark = _BYTE_ORDER_MARK if reader is Reader.SPREADSHEET else ""
    yield mark + _csv_line([PARTITION_KEY, SORT_KEY, *map(cell, columns.names)])
    for row in rows:
        cells = map(cell, columns.values(row))
        yield _csv_line([str(row[PARTITION_KEY]), str(row[SORT_KEY]), *cells])


def _csv_line(cells: list[str]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
