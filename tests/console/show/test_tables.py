"""History is written for people, programs and spreadsheets."""

import csv
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain, islice, repeat

import pytest

from console.show.columns import choose
from console.show.tables import Format
from console.show.tables import render as render_columns
from contract.rows import Row, Value


def render(rows: Iterable[Row], form: Format, fields: list[str] | None = None) -> Iterator[str]:
    """Render rows with the columns that suit them, or those asked for."""
    columns, all_of_them = choose(rows, fields)
    return render_columns(all_of_them, form, columns)


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


DECODED: Row = {
    **BARE,
    "decoded": {
        "temperature": Decimal("19.30"),
        "battery": {"volts": Decimal("3.1"), "low": False},
        "alarms": ["hot", 1],
        "rssi": 7,
        "device": "b",
    },
    "decode_warnings": ["a", "b"],
}


def test_decoded_fields_are_columns() -> None:
    """Maps are opened with dots, lists are JSON; a name that is taken says where it is from."""
    (row,) = csv.DictReader(render([DECODED], Format.CSV))
    assert row["temperature"] == "19.30"
    assert row["battery.volts"] == "3.1"
    assert row["battery.low"] == "false"
    assert row["alarms"] == '["hot",1]'
    assert row["decoded.rssi"] == "7"
    assert row["rssi"] == ""
    assert (row["device"], row["decoded.device"]) == ("a1/d1", "b")
    assert row["decode_warnings"] == "a; b"


def test_decoded_columns_are_as_wide_as_they_must() -> None:
    """A long value moves its column, so that all lines stay below the header."""
    header, first, _ = render([DECODED, ROW], Format.TABLE)
    assert header.index("battery.volts") + len("battery.volts") == first.index(" 3.1 ") + 4


def test_one_long_value_moves_its_own_line_only() -> None:
    """A value that is longer than most screens are wide is whole, and the others stay in reach."""
    long: Row = {**BARE, "decoded": {"text": "z" * 500}}
    header, first, second = render([long, DECODED], Format.TABLE)
    assert "z" * 500 in first
    assert max(len(header), len(second)) < 300


def test_a_reason_for_no_reading_is_shown() -> None:
    """An uplink that was not decoded says why, in a column of its own."""
    failed: Row = {**BARE, "decode_error": {"code": "timeout", "message": "not done after 0.2 s"}}
    (row,) = csv.DictReader(render([failed], Format.CSV))
    assert row["decode_error"] == "timeout: not done after 0.2 s"


@pytest.mark.parametrize("fields", [["battery.volts", "rssi"], ["decoded.battery.volts", "rssi"]])
def test_fields_asked_for(fields: list[str]) -> None:
    """Only they are shown, in their order, in every form."""
    header, line = render([DECODED], Format.TABLE, fields)
    assert header.split() == ["timestamp", "battery.volts", "rssi"]
    assert line.split() == ["2026-11-22T09:00:00.000000Z", "3.1"]
    (row,) = json.loads("\n".join(render([DECODED], Format.JSON, fields)))
    assert row == {"timestamp": DECODED["timestamp"], "battery.volts": 3.1, "rssi": None}
    assert next(render([], Format.CSV, fields)) == "device,timestamp,battery.volts,rssi"


def test_a_field_is_shown_once() -> None:
    """The keys are shown anyway; a field asked for twice, or in both its forms, is one column."""
    fields = ["timestamp", "device", "temperature", "decoded.temperature", "decoded.device"]
    (row,) = json.loads("\n".join(render([DECODED], Format.JSON, fields)))
    assert row == {"timestamp": DECODED["timestamp"], "temperature": 19.3, "decoded.device": "b"}


def test_names_and_json_cannot_speak_to_the_terminal() -> None:
    """Names of fields are shown as harmlessly as values, and JSON stays what it is."""
    hostile: Row = {**BARE, "decoded": {"\x1b]0;x\x07": "\x9b2J"}}
    columns, rows = choose(chain(repeat(ROW, 300), [hostile]), None)
    list(render_columns(rows, Format.CSV, columns))
    assert all(remark.isprintable() for remark in columns.remarks())
    _, line, _ = render([hostile], Format.JSON)
    assert line.isprintable()
    assert json.loads(line) == hostile


def test_what_is_not_shown_is_remarked() -> None:
    """Fields that only later rows have, and fields that no row has, are told at the end."""
    columns, rows = choose(chain(repeat(ROW, 500), [DECODED]), None)
    assert sum(1 for _ in render_columns(rows, Format.CSV, columns)) == 502
    (remark,) = columns.remarks()
    assert "battery.volts" in remark
    assert "--fields" in remark
    columns, rows = choose([DECODED], ["temperature", "humidity"])
    assert list(columns.remarks()) == ["no row has temperature", "no row has humidity"]
    list(render_columns(rows, Format.CSV, columns))
    assert list(columns.remarks()) == ["no row has humidity"]
