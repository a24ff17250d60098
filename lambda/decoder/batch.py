"""Works through a batch of the table's stream: all are decoded, and then stored one by one."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from bridge.names import PARTITION_KEY, SORT_KEY
from bridge.rows import Row, stored_row
from codec.mapping import Mapping
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


def work_through(records: Sequence[Record], codecs: Mapping, effects: Effects) -> Iterator[str]:
    """Yield the sequence numbers of the records that failed, and are to come again.

    A failure does not stop the others: if in the end the record is given up, so is nothing else.
    """
    changes = [record["dynamodb"] for record in records]
    rows = [stored_row(change["NewImage"]) for change in changes]
    for change, row, result in zip(changes, rows, readings(rows, codecs), strict=True):
        try:
            _take(row, result, effects)
        except Exception:  # noqa: BLE001  # whatever is wrong with it, the others go on
            _log.exception("not decoded, to be tried again: %s", change["Keys"])
            yield change["SequenceNumber"]


def _take(row: Row, result: Reading | None, effects: Effects) -> None:
    effects.list_device(str(row[PARTITION_KEY]))
    if result is None:
        return
    if result.decoded is None:
        _log.warning("%s %s: %s", row[PARTITION_KEY], row[SORT_KEY], result.attributes)
    # Before the row is closed: of one that is, nothing tells whether it was published.
    effects.publish(row, result)
    effects.store(row, result)
