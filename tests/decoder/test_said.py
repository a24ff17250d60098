"""The reading of the network server's own codec is judged as that of any other."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from boto3.dynamodb.types import TypeSerializer
from decoder.again import decode_again
from decoder.readings import Reading, Uplink, readings

from codec.mapping import Mapping
from contract.names import OF_THE_DECODER
from contract.redecoding import Outcome
from contract.rows import Row
from tests.decoder.test_readings import answering, reading, row

NO_CODEC = Mapping()
_TABLE = TypeSerializer()


def said(text: str, **attributes: object) -> Reading | None:
    """Return the reading of an uplink on port 1 with which a text came along; there is no codec."""
    return reading(row(object=text, **attributes), NO_CODEC)


def error_of(text: str) -> str:
    """Return why a text is no reading."""
    found = said(text)
    assert found is not None
    assert found.new is None
    assert found.attributes.keys() == {"decode_error", "decoded_by"}
    assert found.attributes["decoded_by"] == "chirpstack"
    error = cast("dict[str, str]", found.attributes["decode_error"])
    assert error["code"] == "bad_result"
    return error["message"]


def test_it_is_stored_where_no_codec_of_ours_is_set() -> None:
    """It says whose it is, keeps every number as it was written, and is published."""
    found = said('{"big":12345678901234567890,"t":[21.5,2.0,null],"flag":true,"deep":{"é":""}}')
    assert found is not None
    assert found.attributes == {
        "decoded": {
            "big": 12345678901234567890,
            "t": [Decimal("21.5"), Decimal("2.0"), None],
            "flag": True,
            "deep": {"é": ""},
        },
        "decoded_by": "chirpstack",
    }
    assert found.new is not None
    assert found.new.port == 1
    assert found.new.decoded.data["t"] == [21.5, 2.0, None]


def test_an_empty_reading_is_one() -> None:
    """The codec answered, and had nothing to say."""
    found = said("{}")
    assert found is not None
    assert found.attributes == {"decoded": {}, "decoded_by": "chirpstack"}


def test_ours_wins(tmp_path: Path) -> None:
    """A codec of ours decodes the bytes, whatever the network server's made; its error, too."""
    uplink = row(object='{"by":"theirs"}')
    ours = reading(uplink, answering(tmp_path, "{ data: { by: 'ours' } }"))
    assert ours is not None
    assert ours.attributes["decoded"] == {"by": "ours"}
    assert str(ours.attributes["decoded_by"]).startswith("codec.js@")
    failed = reading(uplink, answering(tmp_path, "{ errors: ['no'] }"))
    assert failed is not None
    assert failed.attributes["decode_error"] == {"code": "errors", "message": "no"}
    assert str(failed.attributes["decoded_by"]).startswith("codec.js@")


def test_theirs_is_taken_on_the_ports_that_ours_leave(tmp_path: Path) -> None:
    """A codec for port 1 says nothing about port 2."""
    mapping = answering(tmp_path, "{ data: { by: 'ours' } }")
    found = reading(row(port1_bytes=None, port2_bytes=[1], object='{"by":"theirs"}'), mapping)
    assert found is not None
    assert found.attributes == {"decoded": {"by": "theirs"}, "decoded_by": "chirpstack"}


def nested(levels: int) -> str:
    """Return an object with lists within lists."""
    return '{"it":' + "[" * levels + "]" * levels + "}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"big":1e+300,"t":21.5}', "the number 1e+300 cannot be stored"),
        ('{"a":[{"b":-1e126}]}', "the number -1e+126 cannot be stored"),
        ('{"a":5e-324}', "the number 5e-324 cannot be stored"),
        (f'{{"a":{"7" * 50}}}', f"the number {'7' * 50} cannot be stored"),
        (f'{{"a":-{"7" * 39}}}', f"the number -{'7' * 39} cannot be stored"),
        ('{"a":{"":1}}', "a field without a name"),
        (nested(31), "nested deeper than 31 levels"),
        ("[1]", "it is no object"),
        ('"text"', "it is no object"),
        ("7", "it is no object"),
        ("null", "it is no object"),
        ("false", "it is no object"),
        ("", "too large to go along with the uplink"),
    ],
)
def test_what_cannot_be_stored_is_an_error(text: str, message: str) -> None:
    """The uplink keeps its row, which says why there is no reading and whose it would have been."""
    assert error_of(text) == message


@pytest.mark.parametrize(
    "text",
    [
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":1e999}',
        '{"a":"\\ud800"}',
        f'{{"a":{"7" * 5000}}}',
        nested(20_000),
        "{",
        "{}{}",
        "hello",
        "\0",
    ],
)
def test_what_cannot_be_read_is_an_error(text: str) -> None:
    """The same, in the words of who read it, in no more than a thousand characters."""
    message = error_of(text)
    assert message.startswith("it cannot be read: ")
    assert len(message) <= 1000


def test_the_most_that_can_be_stored_is_kept() -> None:
    """38 digits, the largest magnitudes, and 31 levels."""
    for text in (f'{{"a":{"7" * 38}}}', '{"a":9.9e125}', '{"a":-1e-130}', nested(30)):
        found = said(text)
        assert found is not None
        assert "decoded" in found.attributes
        for value in found.attributes.values():
            _TABLE.serialize(value)  # boto3 refuses what has more digits than DynamoDB


def test_encrypted_bytes_are_never_decoded(tmp_path: Path) -> None:
    """Neither by a codec of ours nor by what the network server's made of them."""
    uplink = row(encrypted=True, object='{"t":1}')
    assert reading(uplink, NO_CODEC) is None
    assert reading(uplink, answering(tmp_path, "{ data: {} }")) is None


def test_mac_commands_are_never_decoded() -> None:
    """A codec at the network server makes a reading of no bytes at all: it is no measurement."""
    uplink = row(port1_bytes=None, port0_bytes=[], object='{"temperature":null}')
    assert reading(uplink, NO_CODEC) is None


def test_an_uplink_without_a_reading_is_left_alone() -> None:
    """Where the network server has no codec there is nothing, and what is no text is nobody's."""
    assert reading(row(), NO_CODEC) is None
    assert reading(row(object={"t": 1}), NO_CODEC) is None
    assert reading(row(object=None), NO_CODEC) is None


def test_a_reading_that_was_replaced_is_kept() -> None:
    """An uplink stored a second time has its reading again, which is not published again."""
    first = said('{"t":1}')
    assert first is not None
    before = row(object='{"t":1}', **first.attributes)
    again, other = readings(
        [Uplink(row(object=text), before) for text in ('{"t":1}', '{"t":2}')], NO_CODEC
    )
    assert again is not None
    assert again == Reading(first.attributes)
    assert other is not None
    assert other.attributes["decoded"] == {"t": 2}
    assert other.new is not None


def test_a_batch_of_ours_and_theirs_is_answered_in_its_order(tmp_path: Path) -> None:
    """Each uplink has its own reading."""
    mapping = answering(tmp_path, "{ data: { n: input.bytes[0] } }")
    batch = [
        row(port1_bytes=[1]),
        row(port1_bytes=None, port2_bytes=[2], object='{"n":-2}'),
        row(port1_bytes=None, port2_bytes=[3]),
        row(port1_bytes=[4], object='{"n":-4}'),
        row(port1_bytes=None, port2_bytes=[5], object="x"),
    ]
    found = readings([*map(Uplink, batch)], mapping)
    decoded = [each and each.attributes.get("decoded", "error") for each in found]
    assert decoded == [{"n": 1}, {"n": -2}, None, {"n": 4}, "error"]


class Table:
    """One row, and how often it was written."""

    def __init__(self, **attributes: object) -> None:
        self.row: Row = row(**attributes)
        self.writes = 0

    def replace(self, _row: Row, reading: Reading) -> bool:
        """Put a reading in the place of what the row has."""
        kept = {name: each for name, each in self.row.items() if name not in OF_THE_DECODER}
        self.row = {**kept, **reading.attributes}
        self.writes += 1
        return True

    def again(self, codecs: Mapping) -> tuple[Outcome, str | None]:
        """Decode the row again."""
        item = {name: _TABLE.serialize(value) for name, value in self.row.items()}
        with ThreadPoolExecutor(1) as thread:
            (outcome,) = decode_again([item], codecs, self.replace, thread)
        return outcome


def test_redecode_goes_from_theirs_to_ours_and_back(tmp_path: Path) -> None:
    """A codec that is set takes the reading over, and gives it back when it is set no more."""
    table = Table(object='{"by":"theirs"}')
    assert table.again(NO_CODEC) == (Outcome.DECODED, "chirpstack")
    assert table.again(NO_CODEC) == (Outcome.UNCHANGED, "chirpstack")
    assert table.writes == 1
    outcome, version = table.again(answering(tmp_path, "{ data: { by: 'ours' } }"))
    assert (outcome, table.row["decoded"]) == (Outcome.DECODED, {"by": "ours"})
    assert version == table.row["decoded_by"] != "chirpstack"
    assert table.again(NO_CODEC) == (Outcome.DECODED, "chirpstack")
    assert table.row["decoded"] == {"by": "theirs"}


def test_redecode_of_what_cannot_be_stored(tmp_path: Path) -> None:
    """An error gives way to a reading of ours, with nothing of it left, and comes back."""
    table = Table(object='{"big":1e+300}')
    assert table.again(NO_CODEC) == (Outcome.ERROR, "chirpstack")
    assert table.again(NO_CODEC) == (Outcome.UNCHANGED, "chirpstack")
    table.again(answering(tmp_path, "{ data: { by: 'ours' }, warnings: ['w'] }"))
    assert "decode_error" not in table.row
    assert table.row["decoded"] == {"by": "ours"}
    assert table.again(NO_CODEC) == (Outcome.ERROR, "chirpstack")
    assert table.row.keys() & {"decoded", "decode_warnings"} == set()
    assert table.row["port1_bytes"] == [1, 254]
