"""Works through a batch of the table's stream, one uplink after the other."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boto3.dynamodb.types import TypeDeserializer

from bridge.names import PARTITION_KEY, SORT_KEY
from bridge.rows import Row, row_of
from codec.mapping import Mapping
from decoder.readings import Reading, is_open, reading

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_log = logging.getLogger(__name__)
_deserializer = TypeDeserializer()

Record = dict[str, object]
"""A record as Lambda hands it over: ``dynamodb`` has ``NewImage`` and ``SequenceNumber``."""


@dataclass(frozen=True)
class Effects:
    """What is done with an uplink and its reading, in this order; each may be repeated."""

    list_device: Callable[[str], object]
    publish: Callable[[Row, Reading], object]
    store: Callable[[Row, Reading], object]


def work_through(records: Iterable[Record], codecs: Mapping, effects: Effects) -> Iterator[str]:
    """Yield the sequence numbers of the records that failed, and are to come again.

    A failure does not stop the others: if in the end the record is given up, so is nothing else.
    """
    for record in records:
        change = record["dynamodb"]
        assert isinstance(change, dict)  # noqa: S101  # the form of every stream record
        try:
            _take(_row(change["NewImage"]), codecs, effects)
        except Exception:  # noqa: BLE001  # whatever is wrong with it, the others go on
            _log.exception("not decoded, to be tried again: %s", change.get("Keys"))
            yield str(change["SequenceNumber"])


def _take(row: Row, codecs: Mapping, effects: Effects) -> None:
    effects.list_device(str(row[PARTITION_KEY]))
    if not is_open(row):
        return
    result = reading(row, codecs)
    if result is None:
        return
    if result.decoded is None:
        _log.warning("%s %s: %s", row[PARTITION_KEY], row[SORT_KEY], result.attributes)
    # Before the row is closed: of one that is, nothing tells whether it was published.
    effects.publish(row, result)
    effects.store(row, result)


def _row(image: "dict[str, AttributeValueTypeDef]") -> Row:
    return row_of({name: _deserializer.deserialize(value) for name, value in image.items()})
