"""Works through a batch of the table's stream: all are decoded, and then stored side by side."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NotRequired, TypedDict

from codec.mapping import Mapping
from contract.names import CHECK_APPLICATION, DECODE_ERROR, PARTITION_KEY, SORT_KEY
from contract.rows import Row, stored_row
from decoder.readings import Reading, Uplink, internal, readings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_log = logging.getLogger(__name__)


class AwsError(Exception):
    """AWS does not do it now, and may do it later. Nothing else is worth trying again."""


class Change(TypedDict):
    """What happened to an item; the parts of it that are looked at."""

    Keys: "dict[str, AttributeValueTypeDef]"
    NewImage: "dict[str, AttributeValueTypeDef]"
    OldImage: NotRequired["dict[str, AttributeValueTypeDef]"]
    SequenceNumber: str


class Record(TypedDict):
    """A record of the stream, as Lambda hands it over."""

    dynamodb: Change


@dataclass(frozen=True)
class Effects:
    """What is done with an uplink and its reading, in this order; each may be repeated.

    They raise AwsError where AWS is at fault, and may be called on several threads.
    """

    publish: Callable[[Row, Reading], object]
    store: Callable[[Row, Reading], object]
    list_device: Callable[[Row], object]


@dataclass(frozen=True, slots=True)
class _Work:
    """An uplink of the batch, the number of its record, and its reading."""

    number: str
    row: Row
    reading: Reading | None


def work_through(
    records: Sequence[Record], codecs: Mapping, effects: Effects, threads: Executor
) -> list[str]:
    """Return the sequence numbers of the records that failed, and are to come again.

    A failure does not stop the others. The uplinks of a device keep their order; different devices
    are worked on side by side.
    """
    devices: dict[str, list[_Work]] = {}
    for work in _decoded(records, codecs):
        devices.setdefault(str(work.row.get(PARTITION_KEY)), []).append(work)
    failed = threads.map(lambda works: _of_a_device(works, effects), devices.values())
    return [number for numbers in failed for number in numbers]


def _decoded(records: Sequence[Record], codecs: Mapping) -> list[_Work]:
    """Return the batch decoded. Of an item that changed twice in it, only the last counts."""
    changes = {str(each["dynamodb"]["Keys"]): each["dynamodb"] for each in records}
    works: list[_Work] = []
    uplinks: list[tuple[str, Uplink]] = []
    for change in changes.values():
        number = change["SequenceNumber"]
        try:
            uplinks.append((number, _uplink(change)))
        except Exception as error:  # noqa: BLE001  # what it holds is no matter of the others
            _log.exception("cannot be read: %s", change["Keys"])
            works.append(_Work(number, stored_row(change["Keys"]), internal(error)))
    found = readings([uplink for _, uplink in uplinks], codecs)
    return works + [
        _Work(number, uplink.row, reading)
        for (number, uplink), reading in zip(uplinks, found, strict=True)
    ]


def _uplink(change: Change) -> Uplink:
    before = stored_row(change["OldImage"]) if "OldImage" in change else None
    return Uplink(stored_row(change["NewImage"]), before)


def _of_a_device(works: Sequence[_Work], effects: Effects) -> list[str]:
    """Work on the uplinks of a device in their order; return the numbers of those that failed."""
    return [work.number for work in works if not _is_done(work, effects)]


def _is_done(work: _Work, effects: Effects) -> bool:
    """Work on one uplink; say whether it is over, with its reading or without."""
    key = work.row.get(PARTITION_KEY), work.row.get(SORT_KEY)
    try:
        try:
            _take(work.row, work.reading, effects)
        except AwsError:
            raise
        except Exception as error:  # noqa: BLE001  # a mistake of ours, which would come again
            _log.exception("without its reading: %s %s", *key)
            effects.store(work.row, internal(error))
    except AwsError as error:
        _log.warning("to be tried again: %s %s: %s", *key, error)
        return False
    except Exception:  # noqa: BLE001  # it would end the same way, and hold up all that follows
        _log.exception("given up, without a decode_error: %s %s", *key)
    return True


def _take(row: Row, reading: Reading | None, effects: Effects) -> None:
    if str(row[PARTITION_KEY]).startswith(f"{CHECK_APPLICATION}/"):
        return
    if reading is not None:
        if DECODE_ERROR in reading.attributes:
            _log.warning("%s %s: %s", row[PARTITION_KEY], row[SORT_KEY], reading.attributes)
        # Before the row is closed: of one that is, nothing tells whether it was published.
        effects.publish(row, reading)
        effects.store(row, reading)
    effects.list_device(row)  # the last: no reading waits for the list
