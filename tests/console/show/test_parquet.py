"""History as Apache Parquet."""

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pyarrow import parquet

from console.show.columns import choose
from console.show.parquet import write_parquet
from contract.errors import BridgeError
from contract.rows import Row, Value
from contract.times import format_time

ROW: Row = {
    "device": "a/d",
    "timestamp": "2026-11-22T10:00:00.000001Z",
    "port1_bytes": [1, 254],
    "seqno": 12,
    "motetx": {"freq": Decimal("868.1"), "datr": 50_000},
    "gwrx": [{"rssi": -57, "lsnr": Decimal("9.2")}],
    "decoded": {"temperature": Decimal("19.3"), "low": False, "mode": "eco", "list": [1]},
}
BARE: Row = {"device": "a/d", "timestamp": "2026-11-22T09:00:00.000000Z"}


def write(rows: list[Row] | Iterator[Row], path: Path, fields: list[str] | None = None) -> None:
    """Write rows with the columns that suit them."""
    columns, all_of_them = choose(rows, fields)
    write_parquet(all_of_them, columns, path)


def test_it_reads_back(tmp_path: Path) -> None:
    """Times are times, numbers are numbers, what a row has not is null."""
    write([ROW, BARE], tmp_path / "h.parquet")
    full, bare = parquet.read_table(tmp_path / "h.parquet").to_pylist()
    assert full == {
        "device": "a/d",
        "timestamp": datetime(2026, 11, 22, 10, 0, 0, 1, tzinfo=UTC),
        "seqno": 12,
        "port": 1,
        "freq": 868.1,
        "datr": "50000",
        "gwrx": 1,
        "rssi": -57.0,
        "lsnr": 9.2,
        "temperature": 19.3,
        "low": False,
        "mode": "eco",
        "list": "[1]",
        "bytes": "01fe",
    }
    assert {name for name, value in bare.items() if value is not None} == {"device", "timestamp"}


def test_nothing_is_an_empty_file(tmp_path: Path) -> None:
    """No rows are a file that reads back as no rows."""
    write([], tmp_path / "h.parquet", ["temperature"])
    assert parquet.read_table(tmp_path / "h.parquet").num_rows == 0


def many(count: int) -> Iterator[Row]:
    """Yield rows a second apart, the last with a text where the others have a number."""
    for number in range(count):
        value = "broken" if number == count - 1 else number
        time = format_time(1_790_000_000_000_000 + number * 1_000_000)
        yield {**BARE, "timestamp": time, "decoded": {"temperature": value}}


def test_a_value_of_another_type_is_said(tmp_path: Path) -> None:
    """A text among numbers, in a later group, ends the export with what to do."""
    with pytest.raises(BridgeError, match="temperature is broken in one row"):
        write(many(30_000), tmp_path / "h.parquet")


@pytest.mark.parametrize(("value", "read"), [(Decimal("21.5"), 21.5), (True, True), ("eco", "eco")])
def test_a_field_whose_values_come_late_has_their_type(
    tmp_path: Path, value: Value, read: object
) -> None:
    """Rows without it, however many, do not make a text of it."""
    rows: list[Row] = [{**row, "decoded": {"v": None, "w": 1}} for row in many(10_000)]
    rows += [{**row, "decoded": {"v": value, "w": 2}} for row in many(3)]
    write(iter(rows), tmp_path / "h.parquet", ["v", "w"])
    table = parquet.read_table(tmp_path / "h.parquet").to_pydict()
    assert table["v"] == [None] * 10_000 + [read] * 3
    assert table["w"] == [1.0] * 10_000 + [2.0] * 3
    assert [each.name for each in tmp_path.iterdir()] == ["h.parquet"]


def test_a_number_that_no_column_takes_is_said(tmp_path: Path) -> None:
    """A seqno beyond 64 bits ends the export with what to do."""
    with pytest.raises(BridgeError, match="seqno is too large in a row"):
        write([{**BARE, "seqno": 2**63}], tmp_path / "h.parquet")


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Three times the rows take no more room."""
    peaks = []
    for count in (30_000, 90_000):
        tracemalloc.start()
        write(many(count), tmp_path / "h.parquet", ["seqno"])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
