"""Rows that are decoded again: what is written, and what is told of each."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from boto3.dynamodb.types import TypeSerializer
from decoder.again import decode_again
from decoder.batch import AwsError
from decoder.readings import Reading

from codec.mapping import Mapping, load
from contract.redecoding import Outcome
from contract.rows import Row, Value

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


@dataclass
class Table:
    """Takes note of what is written; ``missing`` is a device whose rows are gone."""

    written: list[tuple[str, dict[str, Value]]] = field(default_factory=list)
    missing: str = ""
    failing: bool = False

    def replace(self, row: Row, reading: Reading) -> bool:
        """Write a reading over what the row has."""
        if self.failing:
            raise AwsError("throttled")
        if row["device"] == self.missing:
            return False
        self.written.append((str(row["device"]), reading.attributes))
        return True


@pytest.fixture
def codecs(tmp_path: Path) -> Mapping:
    """Assign a codec to port 1, which has something against a zero."""
    source = "function Decode(port, bytes) { if (!bytes[0]) throw 'zero'; return { n: bytes[0] }; }"
    (tmp_path / "a.js").write_text(source)
    (tmp_path / "codecs.toml").write_text('[[codec]]\nfile = "a.js"\nports = [1]\n')
    return load(tmp_path)


def item(device: str, **attributes: object) -> "dict[str, AttributeValueTypeDef]":
    """Return a row as DynamoDB has it."""
    row = {"device": device, "timestamp": "2026-11-01T08:00:00.000000Z", **attributes}
    return {name: TypeSerializer().serialize(value) for name, value in row.items()}


def again(
    items: "list[dict[str, AttributeValueTypeDef]]", codecs: Mapping, table: Table
) -> list[tuple[Outcome, str | None]]:
    """Decode again, one after the other."""
    with ThreadPoolExecutor(1) as thread:
        return decode_again(items, codecs, table.replace, thread)


def test_what_a_row_had_is_replaced(codecs: Mapping) -> None:
    """A reading of an earlier codec, an error and nothing at all give way to what is read now."""
    table = Table()
    rows = [
        item("a/1", port1_bytes=[1], decoded={"old": 1}, decoded_by="a.js@00000000"),
        item("a/2", port1_bytes=[2], decode_error={"code": "internal", "message": "m"}),
        item("a/3", port1_bytes=[3]),
        item("a/4", port1_bytes=[0], decoded={"old": 1}),
    ]
    outcomes = again(rows, codecs, table)
    assert [outcome for outcome, _ in outcomes] == [*[Outcome.DECODED] * 3, Outcome.ERROR]
    assert [written.get("decoded") for _, written in table.written] == [
        *({"n": 1}, {"n": 2}, {"n": 3}),
        None,
    ]
    (version,) = {version for _, version in outcomes}
    assert {written["decoded_by"] for _, written in table.written} == {version}


def test_what_is_as_the_codec_says_is_not_written(codecs: Mapping) -> None:
    """A repetition costs no writing, of errors neither."""
    table = Table()
    first = [item("a/1", port1_bytes=[1]), item("a/2", port1_bytes=[0])]
    again(first, codecs, table)
    rows = [
        item(device, port1_bytes=[number], **attributes)
        for number, (device, attributes) in zip((1, 0), table.written, strict=True)
    ]
    table.written.clear()
    assert [outcome for outcome, _ in again(rows, codecs, table)] == [Outcome.UNCHANGED] * 2
    assert table.written == []


def test_rows_without_a_codec_stay_as_they_are(codecs: Mapping) -> None:
    """Without bytes or a codec nothing is removed; one that nobody can read is such a row, too."""
    table = Table()
    unknown: AttributeValueTypeDef = {"X": "?"}  # type: ignore[typeddict-unknown-key]
    rows = [item("a/1", port2_bytes=[1], decoded={"old": 1}), item("a/2"), {"device": unknown}]
    assert again(rows, codecs, table) == [(Outcome.NO_CODEC, None)] * 3
    assert table.written == []


def test_what_aws_does_not_store_is_left(codecs: Mapping) -> None:
    """It may be repeated; a row that expired meanwhile need not."""
    rows = [item("a/1", port1_bytes=[1]), item("a/2", port1_bytes=[2])]
    outcomes = again(rows, codecs, Table(failing=True))
    assert [outcome for outcome, _ in outcomes] == [Outcome.LEFT] * 2
    outcomes = again(rows, codecs, Table(missing="a/2"))
    assert [outcome for outcome, _ in outcomes] == [Outcome.DECODED, Outcome.GONE]
