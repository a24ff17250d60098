"""History is written for people, programs and spreadsheets."""

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice, repeat

import pytest

from bridge.rows import Row, Value
from bridge.tables import Format, render

ROW: Row = {
    "device": "a1/d1",
    "timestamp": "2026-11-22T10:00:00.000001Z",
    "port1_bytes": [1, 254],
    "seqno": 12,
    "motetx": {"freq": Decimal("868.1"), "datr": "SF7BW125"},
    "gwrx": [{"rssi": -57, "lsnr": Decimal("9.2")}, {"rssi": -90, "lsnr": Decimal("-3.5")}],
}
BARE: Row = {"device": "a1/d1", "timestamp": "2026-11-22T09:00:00.000000Z", "port200_bytes": []}


def test_table() -> None:
    """A table has a header and a line an uplink; the best gateway's values, bytes in hex."""
    header, full, bare = render([ROW, BARE], Format.TABLE)
    names = ["timestamp", "seqno", "port", "freq", "datr", "gwrx", "rssi", "lsnr", "bytes"]
    assert header.split() == names
    values = ["2026-11-22T10:00:00.000001Z", "12", "1", "868.1", "SF7BW125", "2", "-57", "9.2"]
    assert full.split() == [*values, "01fe"]
    assert bare.split() == ["2026-11-22T09:00:00.000000Z", "200"]


def test_table_columns_line_up() -> None:
    """Numbers end below the names of their columns."""
    header, line = render([ROW], Format.TABLE)
    for name, value in (("seqno", "12"), ("port", "1"), ("rssi", "-57"), ("lsnr", "9.2")):
        assert header.index(name) + len(name) == line.index(f" {value} ") + 1 + len(value)


def test_json_is_one_array_with_a_row_a_line() -> None:
    """JSON reads back whole, numbers exact."""
    lines = list(render([ROW, BARE], Format.JSON))
    assert len(lines) == 4
    first, second = json.loads("\n".join(lines), parse_float=Decimal)
    assert first == ROW
    assert second == BARE


def test_json_of_nothing() -> None:
    """No rows are an empty array."""
    assert json.loads("\n".join(render([], Format.JSON))) == []


def test_table_of_nothing() -> None:
    """No rows are no table."""
    assert list(render([], Format.TABLE)) == []


def test_table_fits_a_terminal() -> None:
    """With a few bytes a line fits 80 columns."""
    wide: Row = {**ROW, "seqno": 65535, "motetx": {"freq": Decimal("868.1"), "datr": "SF12BW125"}}
    assert all(len(line) <= 80 for line in render([wide], Format.TABLE))


def test_signal_is_one_gateways() -> None:
    """RSSI and SNR are those of the gateway that heard the device best, not of two."""
    gwrx: list[Value] = [{"rssi": -91, "lsnr": Decimal("2.9")}, {"rssi": -40, "lsnr": -12}]
    _, line = render([{**ROW, "gwrx": gwrx}], Format.TABLE)
    assert line.split()[-3:-1] == ["-40", "-12"]


def test_csv() -> None:
    """CSV reads back with the device, the time and the cells of the table."""
    full, bare = csv.DictReader(render([ROW, BARE], Format.CSV))
    assert full["device"] == "a1/d1"
    assert full["bytes"] == "01fe"
    assert full["freq"] == "868.1"
    assert bare["seqno"] == ""


@pytest.mark.parametrize("form", list(Format))
def test_rows_are_written_as_they_come(form: Format) -> None:
    """Lines appear without waiting for the last row."""
    endless: Iterator[Row] = repeat(ROW)
    assert len(list(islice(render(endless, form), 5))) == 5


def test_a_row_that_something_else_stored() -> None:
    """Values of unexpected types leave their cells empty, and no row is lost."""
    odd: Row = {**BARE, "motetx": "x", "gwrx": [None, {"rssi": "loud"}], "seqno": None}
    assert len(list(render([odd], Format.TABLE))) == 2


def test_bytes_that_are_none() -> None:
    """A list that holds no bytes is shown as none, and the row stays."""
    oddities: list[list[Value]] = [[256], [-1], ["a"], [Decimal("1.5")]]
    for odd in oddities:
        _, line = render([{**BARE, "port200_bytes": odd}], Format.TABLE)
        assert line.split() == ["2026-11-22T09:00:00.000000Z"]


def test_a_frame_cannot_speak_to_the_terminal() -> None:
    """Control characters that a device's frame brought are shown, not obeyed."""
    hostile: Row = {**ROW, "motetx": {"datr": "\x1b[2J\nfake"}}
    for form in (Format.TABLE, Format.CSV):
        _, line = render([hostile], form)
        assert line.isprintable()
        assert r"\x1b[2J\nfake" in line
