"""Works through a batch of the table's stream: all are decoded, and then stored one by one."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from codec.mapping import Mapping
from contract.names import CHECK_APPLICATION, PARTITION_KEY, SORT_KEY
from contract.rows import Row, stored_row
from decoder.readings import Reading, readings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_log = logging.getLogger(__name__)


class Change(TypedDict):
    """What happened to an item; the parts of it that are looked at."""

    Keys: "dict[str, AttributeValueTypeDef]"
    NewImage: "dict[str, AttributeValueTypeDef]"
    SequenceNumber: str


class Record(TypedDict):
    """A record of the stream, as Lambda hands it over."""

    dynamodb: Change


@dataclass(frozen=True)
class Effects:
    """What is done with an uplink and its reading, in this order; each may be repeated."""

    list_device: Callable[[str], object]
    publish: Callable[[Row, Reading], object]
    store: Callable[[Row, Reading], object]


def work_through(records: Sequence[Record], codecs: Mapping, effects: Effects) -> list[str]:
    """Return the sequence numbers of the records that failed, and are to come again.

    A failure does not stop the others. AWS may give it up in the end, but no other.
    """
    failed: list[str] = []
    uplinks: list[tuple[Change, Row]] = []
    for record in records:
        with _alone(record["dynamodb"], failed) as change:
            uplinks.append((change, stored_row(change["NewImage"])))
    results = readings([row for _change, row in uplinks], codecs)
    for (change, row), result in zip(uplinks, results, strict=True):
        with _alone(change, failed):
            _take(row, result, effects)
    return failed


@contextmanager
def _alone(change: Change, failed: list[str]) -> Iterator[Change]:
    """Work on one record, and note if it fails."""
    try:
        yield change
    except Exception:  # noqa: BLE001  # whatever is wrong with it, the others go on
        _log.exception("not decoded, to be tried again: %s", change["Keys"])
        failed.append(change["SequenceNumber"])


def _take(row: Row, result: Reading | None, effects: Effects) -> None:
    device = str(row[PARTITION_KEY])
    if device.startswith(f"{CHECK_APPLICATION}/"):
        return
    effects.list_device(device)
    if result is None:
        return
    if result.decoded is None:
        _log.warning("%s %s: %s", row[PARTITION_KEY], row[SORT_KEY], result.attributes)
    # Before the row is closed: of one that is, nothing tells whether it was published.
    effects.publish(row, result)
    effects.store(row, result)
