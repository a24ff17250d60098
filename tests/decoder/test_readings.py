"""What becomes of a stored uplink."""

from decimal import Decimal
from pathlib import Path

import pytest
from decoder.readings import Reading, Uplink, readings

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
    (found,) = readings([Uplink(row)], codecs)
    return found


def _all(rows: list[Row], codecs: Mapping) -> list[Reading | None]:
    return readings([*map(Uplink, rows)], codecs)


def row(**attributes: object) -> Row:
    """Return an uplink on port 1."""
    stored = {"device": "a/b", "timestamp": "2026-11-01T08:00:00.000001Z", "port1_bytes": [1, 254]}
    return {**stored, **attributes}  # type: ignore[dict-item]  # what a test stores


def test_a_codec_sees_what_was_stored(tmp_path: Path) -> None:
    """Bytes, port and the time of the row are the codec's input."""
    echo = codecs(tmp_path, "function decodeUplink(input) { return { data: input }; }")
    found = reading(row(), echo)
    assert found is not None
    assert found.attributes["decoded"] == (
        {
            "bytes": [1, 254],
            "fPort": 1,
            "recvTime": "2026-11-01T08:00:00.000Z",
            "variables": {},
        }
    )


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
    assert found.attributes["decoded"] == {"it": stored}


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
    found = reading(row(), answering(tmp_path, f"{{ data: {data} }}"))
    assert found is not None
    assert found.attributes["decode_error"] == {"code": "bad_result", "message": message}
    assert found.new is None


def test_the_deepest_that_an_item_holds_is_kept(tmp_path: Path) -> None:
    """31 levels below the item are stored."""
    found = reading(row(), answering(tmp_path, f"{{ data: {{ it: {nested(30)} }} }}"))
    assert found is not None
    assert "decoded" in found.attributes


def test_warnings_stand_beside_the_reading(tmp_path: Path) -> None:
    """What the codec warns of does not mix with what it read."""
    found = reading(row(), answering(tmp_path, "{ data: { a: 1 }, warnings: ['low battery'] }"))
    assert found is not None
    assert found.attributes["decoded"] == {"a": 1}
    assert found.attributes["decode_warnings"] == ["low battery"]


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
    found = [each and each.attributes["decoded"] for each in _all(batch, load(tmp_path))]
    assert found == [{"a": 5}, None, {"b": "1"}, {"a": 6}, {"b": "2"}]


def test_a_reading_says_which_codec_made_it(tmp_path: Path) -> None:
    """The version changes with the codec and with its variables, and with nothing else."""
    source = "function decodeUplink(input) { return { data: { a: input.variables.x } }; }"
    told = ["", "variables = { x = '1' }\n", "variables = { x = '2' }\n", ""]
    versions = []
    for variables in told:
        mapping = codecs(tmp_path, source)
        with (tmp_path / "codecs.toml").open("a") as file:
            file.write(variables)
        found = reading(row(), load(tmp_path) if variables else mapping)
        assert found is not None
        versions.append(str(found.attributes["decoded_by"]))
    other = reading(row(), codecs(tmp_path, source + "// mended"))
    assert other is not None
    assert versions[0] == versions[3]
    assert len({*versions, str(other.attributes["decoded_by"])}) == 4
    assert all(each.startswith("codec.js@") for each in versions)


def test_an_error_says_which_codec_made_it(tmp_path: Path) -> None:
    """What tells the stream of the decoder's own writing is there with errors too."""
    found = reading(row(), answering(tmp_path, "{ errors: ['no'] }"))
    assert found is not None
    assert str(found.attributes["decoded_by"]).startswith("codec.js@")


_COUNTING = "let n = 0; function decodeUplink(input) { n += 1; return { data: { made: 'anew' } }; }"


def replaced(tmp_path: Path, **changes: object) -> Reading | None:
    """Decode an uplink that took the place of a row with a reading, in which some is changed."""
    mapping = codecs(tmp_path, _COUNTING)
    first = reading(row(), mapping)
    assert first is not None
    attributes = {**first.attributes, "decoded": {"made": "before"}, "decode_warnings": ["w"]}
    before = row(**{**attributes, **changes})
    (found,) = readings([Uplink(row(), before)], mapping)
    return found


def test_a_reading_that_was_replaced_is_kept(tmp_path: Path) -> None:
    """The other bridge of a pair erases a reading of the same bytes, which comes back."""
    found = replaced(tmp_path)
    assert found is not None
    assert found.new is None
    assert found.attributes["decoded"] == {"made": "before"}
    assert found.attributes["decode_warnings"] == ["w"]
    assert str(found.attributes["decoded_by"]).startswith("codec.js@")


@pytest.mark.parametrize(
    "changes",
    [{"port1_bytes": [2]}, {"decoded_by": "codec.js@00000000"}, {"decoded_by": None}],
)
def test_another_reading_is_not_kept(tmp_path: Path, changes: dict[str, object]) -> None:
    """Other bytes, another codec or one of an unknown version are decoded."""
    found = replaced(tmp_path, **changes)
    assert found is not None
    assert found.attributes["decoded"] == {"made": "anew"}
    assert found.new is not None


def test_a_fault_of_the_decoder_is_an_error_of_one_uplink(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw of one uplink leaves the readings of the others."""
    mapping = answering(tmp_path, "{ data: { fine: true } }")
    genuine = Mapping.find

    def find(self: Mapping, application: str, device: str, port: int) -> object:
        if device == "odd":
            raise LookupError("no such thing")
        return genuine(self, application, device, port)

    monkeypatch.setattr(Mapping, "find", find)
    odd, fine = _all([row(device="a/odd"), row()], mapping)
    assert odd is not None
    assert odd.attributes == {
        "decode_error": {"code": "internal", "message": "LookupError: no such thing"},
        "decoded_by": "internal",
    }
    assert fine is not None
    assert fine.attributes["decoded"] == {"fine": True}
