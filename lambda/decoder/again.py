"""Decodes stored uplinks again, which ``lora-bridge redecode`` hands over."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from codec.mapping import Mapping
from contract.names import DECODE_ERROR, DECODED_BY, OF_THE_DECODER, PARTITION_KEY
from contract.redecoding import Outcome
from contract.rows import Row, stored_row
from decoder.batch import AwsError
from decoder.readings import Reading, Uplink, readings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Replace = Callable[[Row, Reading], bool]
"""Puts a reading in the place of what a row had; says whether the row is still there."""
_log = logging.getLogger(__name__)


def decode_again(
    items: "Sequence[dict[str, AttributeValueTypeDef]]",
    codecs: Mapping,
    replace: Replace,
    threads: Executor,
) -> list[tuple[Outcome, str | None]]:
    """Return what became of each uplink, and the version of its codec if it has one.

    A row that has what the codec says is not written again.
    """
    rows = [_row(item) for item in items]
    found = readings([Uplink(_open(row)) for row in rows], codecs)
    outcomes = threads.map(lambda row, reading: _outcome(row, reading, replace), rows, found)
    return [
        (outcome, str(reading.attributes[DECODED_BY]) if reading else None)
        for outcome, reading in zip(outcomes, found, strict=True)
    ]


def _row(item: "dict[str, AttributeValueTypeDef]") -> Row:
    try:
        return stored_row(item)
    except Exception:  # noqa: BLE001  # what it holds is no matter of the others
        _log.exception("cannot be read: %s", item)
        return {}  # it has no bytes, so no codec


def _open(row: Row) -> Row:
    """Return a row as it was before it was decoded."""
    return {name: value for name, value in row.items() if name not in OF_THE_DECODER}


def _outcome(row: Row, reading: Reading | None, replace: Replace) -> Outcome:
    if reading is None:
        return Outcome.NO_CODEC
    if all(row.get(name) == reading.attributes.get(name) for name in OF_THE_DECODER):
        return Outcome.UNCHANGED
    try:
        if not replace(row, reading):
            return Outcome.GONE
    except AwsError as error:
        _log.warning("not stored: %s: %s", row.get(PARTITION_KEY), error)
        return Outcome.LEFT
    return Outcome.ERROR if DECODE_ERROR in reading.attributes else Outcome.DECODED
