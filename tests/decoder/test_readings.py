"""What becomes of a stored uplink."""

from decimal import Decimal
from pathlib import Path

import pytest
from decoder.readings import Reading, readings

from codec.mapping import Mapping, load
from contract.rows import Row


def codecs(folder: Path, source: str) -> Mapping:
    """Assign a codec to every uplink on port 1."""
    (folder / "codec.js").write_text(source)
    (folder / "codecs.toml").write_text('[[codec]]\nfile = "codec.js"\nports = [1]\n')
    return load(folder)


def answering(folder: Path, answer: str) -> Mapping:
    """Assign a codec that answers the same to every uplink."""
    return codecs(folder, f"function decodeUplink(input) {{ return {answer}; }}")


def reading(row: Row, codecs: Mapping) -> Reading | None:
    """Decode an uplink alone."""
    (found,) = readings([row], codecs)
    return found


def row(**attributes: object) -> Row:
    """Return an uplink on port 1."""
    stored = {"device": "a/b", "timestamp": "2026-11-01T08:00:00.000001Z", "port1_bytes": [1, 254]}
    return {**stored, **attributes}  # type: ignore[dict-item]  # what a test stores


def test_a_codec_sees_what_was_stored(tmp_path: Path) -> None:
    """Bytes, port and the time of the row are the codec's input."""
    echo = codecs(tmp_path, "function decodeUplink(input) { return { data: input }; }")
    found = reading(row(), echo)
    assert found is not None
    assert found.attributes == {
        "decoded": {
            "bytes": [1, 254],
            "fPort": 1,
            "recvTime": "2026-11-01T08:00:00.000Z",
            "variables": {},
        }
    }


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("0.1", Decimal("0.1")),
        ("-1.5e-7", Decimal("-1.5e-7")),
        ("1e21", Decimal("1e21")),
        ("12345678901234567890", 12345678901234567000),
        ("NaN", None),
        ("[1, 'a', null, true, {b: 2.5}]", [1, "a", None, True, {"b": Decimal("2.5")}]),
    ],
)
def test_numbers_are_kept_as_the_codec_wrote_them(
    tmp_path: Path, written: str, stored: object
) -> None:
    """No digit is lost or added between JavaScript and DynamoDB."""
    found = reading(row(), answering(tmp_path, f"{{ data: {{ it: {written} }} }}"))
    assert found is not None
    assert found.attributes == {"decoded": {"it": stored}}


def nested(levels: int) -> str:
    """Return an expression for lists within lists."""
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{ it: 1e300 }", "the number 1e+300 cannot be stored"),
        ("{ it: 5e-324 }", "the number 5e-324 cannot be stored"),
        ("{ a: { '': 1 } }", "a field without a name"),
        (f"{{ it: {nested(31)} }}", "nested deeper than 31 levels"),
    ],
)
def test_what_dynamodb_cannot_hold_is_an_error(tmp_path: Path, data: str, message: str) -> None:
    """A reading that the table would refuse is told before it is tried."""
    assert reading(row(), answering(tmp_path, f"{{ data: {data} }}")) == Reading(
        {"decode_error": {"code": "bad_result", "message": message}}, 1
    )


def test_the_deepest_that_an_item_holds_is_kept(tmp_path: Path) -> None:
    """31 levels below the item are stored."""
    found = reading(row(), answering(tmp_path, f"{{ data: {{ it: {nested(30)} }} }}"))
    assert found is not None
    assert "decoded" in found.attributes


def test_warnings_stand_beside_the_reading(tmp_path: Path) -> None:
    """What the codec warns of does not mix with what it read."""
    found = reading(row(), answering(tmp_path, "{ data: { a: 1 }, warnings: ['low battery'] }"))
    assert found is not None
    assert found.attributes == {"decoded": {"a": 1}, "decode_warnings": ["low battery"]}


def test_an_uplink_that_is_nobodys_is_left_alone(tmp_path: Path) -> None:
    """Without bytes, or without a codec for its port, nothing is added."""
    mapping = answering(tmp_path, "{ data: {} }")
    assert reading(row(port1_bytes=None), mapping) is None
    assert reading({"device": "a/b", "timestamp": "x", "port2_bytes": [1]}, mapping) is None


def test_mac_commands_are_not_decoded(tmp_path: Path) -> None:
    """FPort 0 is the network server's own, though a codec would take any port."""
    mapping = answering(tmp_path, "{ data: {} }")
    assert reading({"device": "a/b", "timestamp": "x", "port0_bytes": [1]}, mapping) is None


def test_only_open_rows_are_decoded(tmp_path: Path) -> None:
    """A row with a reading, or with the reason for none, is done."""
    mapping = answering(tmp_path, "{ data: {} }")
    assert reading(row(), mapping) is not None
    assert reading(row(decoded={}), mapping) is None
    assert reading(row(decode_error={"code": "timeout"}), mapping) is None


def test_a_batch_is_answered_in_its_order(tmp_path: Path) -> None:
    """Uplinks of several codecs, and of none, each get their own reading."""
    (tmp_path / "a.js").write_text("function Decode(port, bytes) { return { a: bytes[0] }; }")
    (tmp_path / "b.js").write_text("function Decode(port, bytes, given) { return { b: given.x }; }")
    (tmp_path / "codecs.toml").write_text(
        '[[codec]]\nfile = "a.js"\nports = [1]\n'
        '[[codec]]\nfile = "b.js"\nports = [2]\ndevice = "b"\nvariables = { x = "1" }\n'
        '[[codec]]\nfile = "b.js"\nports = [2]\nvariables = { x = "2" }\n'
    )
    batch = [
        row(port1_bytes=[5]),
        row(port1_bytes=None, port3_bytes=[1]),
        row(port1_bytes=None, port2_bytes=[1]),
        row(port1_bytes=[6]),
        row(port1_bytes=None, port2_bytes=[1], device="a/c"),
    ]
    found = [each and each.attributes["decoded"] for each in readings(batch, load(tmp_path))]
    assert found == [{"a": 5}, None, {"b": "1"}, {"a": 6}, {"b": "2"}]
