"""Writes history rows as Apache Parquet, for notebooks and data lakes."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path

import pyarrow as pa
from pyarrow.parquet import ParquetFile, ParquetWriter

from console.show.columns import Columns, plain, text
from contract.errors import BridgeError
from contract.names import PARTITION_KEY, SORT_KEY
from contract.rows import Row, Value, number
from contract.times import parse_time

_GROUP = 10_000  # rows held in memory, and then written as one group
_RECEIVED = {
    "seqno": pa.int64(),
    "port": pa.int64(),
    "freq": pa.float64(),
    "datr": pa.string(),
    "gwrx": pa.int64(),
    "rssi": pa.float64(),
    "lsnr": pa.float64(),
    "bytes": pa.string(),
}
_Line = list[Value]


def write_parquet(rows: Iterable[Row], columns: Columns, path: Path) -> None:
    """Write the columns, ``device`` and ``timestamp`` before them, in bounded memory.

    A decoded field has the type of its first values: numbers are doubles, as in JavaScript. If they
    come after many rows without any, what is written is read once more, and written anew.

    Raises:
        BridgeError: a later value is of another type.
        OSError: the file cannot be written.

    """
    lines = ([str(row[PARTITION_KEY]), str(row[SORT_KEY]), *columns.values(row)] for row in rows)
    groups = _groups(lines)
    first = next(groups, [])
    schema = _schema(columns.names, first)
    with ExitStack() as stack:
        writer = stack.enter_context(ParquetWriter(path, schema))
        empty = _empty(schema, first)
        for group in chain([first] if first else [], groups):
            kinds = _kinds_of(schema, empty, group)
            empty -= kinds.keys()
            typed = pa.schema([_typed(each, kinds) for each in schema])
            if typed != schema and path.is_file():  # a pipe cannot be read once more
                stack.close()
                schema = typed
                writer = stack.enter_context(_retyped(path, schema))
            writer.write_table(_table(schema, group))


def _empty(schema: pa.Schema, group: list[_Line]) -> set[str]:
    """Return the decoded columns without any value."""
    by_column = zip(schema.names, zip(*group, strict=True), strict=True) if group else ()
    found = {name for name, values in by_column if all(each is None for each in values)}
    return found - _RECEIVED.keys()


def _kinds_of(schema: pa.Schema, empty: set[str], group: list[_Line]) -> dict[str, pa.DataType]:
    """Return the types of columns that were empty before, and have values now."""
    by_column = zip(schema.names, zip(*group, strict=True), strict=True)
    values = {name: [each for each in found if each is not None] for name, found in by_column}
    return {name: _kind(values[name]) for name in empty if values[name]}


def _retyped(path: Path, schema: pa.Schema) -> ParquetWriter:
    """Return a writer that goes on with a file, of which empty columns get other types."""
    before = path.with_name(path.name + ".before")
    path.rename(before)
    writer = ParquetWriter(path, schema)
    with ParquetFile(before) as written:
        for number in range(written.num_row_groups):
            table = written.read_row_group(number)
            arrays = [_typed_values(table[each.name], each.type) for each in schema]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    before.unlink()
    return writer


def _typed(column: pa.Field, kinds: dict[str, pa.DataType]) -> pa.Field:
    return column.with_type(kinds.get(column.name, column.type))


def _typed_values(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    """Return the values of a column that has this type, or is empty."""
    return values if values.type == kind else pa.nulls(len(values), kind)


def _groups(lines: Iterator[_Line]) -> Iterator[list[_Line]]:
    while group := list(islice(lines, _GROUP)):
        yield group


def _schema(names: tuple[str, ...], first: list[_Line]) -> pa.Schema:
    by_column = list(zip(*first, strict=True))[2:] or [()] * len(names)
    kinds = [
        _RECEIVED.get(name) or _kind([each for each in values if each is not None])
        for name, values in zip(names, by_column, strict=True)
    ]
    return pa.schema(
        [
            (PARTITION_KEY, pa.string()),
            (SORT_KEY, pa.timestamp("us", tz="UTC")),
            *zip(names, kinds, strict=True),
        ]
    )


def _kind(values: list[Value]) -> pa.DataType:
    if values and all(isinstance(each, bool) for each in values):
        return pa.bool_()
    if values and all(number(each) is not None for each in values):
        return pa.float64()
    return pa.string()


def _table(schema: pa.Schema, group: list[_Line]) -> pa.Table:
    columns = zip(schema, zip(*group, strict=True), strict=True)
    return pa.Table.from_arrays([_array(each, values) for each, values in columns], schema=schema)


def _array(column: pa.Field, values: tuple[Value, ...]) -> pa.Array:
    try:
        return pa.array([_cell(value, column.type, column.name) for value in values], column.type)
    except OverflowError:
        raise BridgeError(
            f"{column.name} is too large in a row: leave it out with --fields"
        ) from None


def _cell(value: Value, kind: pa.DataType, name: str) -> object:
    """Return what Arrow takes for a value."""
    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        return parse_time(str(value))
    if pa.types.is_string(kind):
        return plain(value)
    if pa.types.is_boolean(kind) and isinstance(value, bool):
        return value
    found = number(value)
    if found is None or pa.types.is_boolean(kind):
        raise BridgeError(
            f"{name} is {text(value)} in one row and of another type in others:"
            " leave it out with --fields, or take --format csv"
        )
    return float(found) if pa.types.is_floating(kind) else int(found)
