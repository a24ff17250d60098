"""Has stored uplinks decoded again, by the function that decodes new ones.

It runs where the codecs are: what it stores is what the function would have stored, whoever calls
it and whatever is on the laptop. The caller needs no right to write into the table.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Event
from typing import TYPE_CHECKING

import msgspec

from console.store.devices import listed
from console.store.history import between, items
from contract.errors import BridgeError
from contract.names import (
    DECODED,
    DECODED_BY,
    ENCRYPTED,
    OF_THE_DECODER,
    PARTITION_KEY,
    SAID,
    SORT_KEY,
)
from contract.redecoding import ANSWER, REQUEST, Outcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_lambda import LambdaClient

    Item = dict[str, AttributeValueTypeDef]

_MOST = 100  # uplinks in a call, as in a batch of the stream
_LARGEST = 2_000_000
"""Bytes of JSON after which no uplink is added to a call. Lambda takes 6 MB, and a row of 400 KB,
DynamoDB's largest, may have 3 MB of JSON."""
_WRITTEN = {Outcome.DECODED, Outcome.ERROR}

Answer = tuple[Outcome, str | None]
"""What became of an uplink, and the version of its codec if it has one."""
Decoder = Callable[[Sequence["Item"]], Sequence[Answer]]


class _Answered(msgspec.Struct):
    outcomes: list[tuple[Outcome, str | None]] = msgspec.field(name=ANSWER)


def devices_of(table: str, target: str, since: int) -> Iterator[str]:
    """Yield the device that is meant, or the devices of an application that sent since a time.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    if "/" in target:
        yield target
        return
    for each in listed(table, target):
        if each.may_be_heard(since):
            yield each.device


def stored(
    client: "DynamoDBClient", table: str, devices: Iterable[str], since: int, until: int
) -> "Iterator[Item]":
    """Yield what is decoded of each device's uplinks, oldest first; times inclusive."""
    for device in devices:
        yield from map(_needed, items(client, between(table, device, since, until)))


def decoder(client: "LambdaClient", function: str) -> Decoder:
    """Return what has the deployed function decode some uplinks."""

    def decode(uplinks: "Sequence[Item]") -> Sequence[Answer]:
        answer = client.invoke(
            FunctionName=function, Payload=msgspec.json.encode({REQUEST: uplinks})
        )
        said = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise BridgeError(
                f"the decoder failed: {said.decode(errors='replace')[:500]}: see the log of the"
                f" function {function}; what was decoded is stored, and a repetition goes on there"
            )
        return msgspec.json.decode(said, type=_Answered).outcomes

    return decode


def decode_again(
    uplinks: "Iterable[Item]", decode: Decoder, rate: float, ended: Event
) -> "Iterator[tuple[Item, Outcome]]":
    """Decode uplinks until ``ended``, and yield what became of each.

    At most ``rate`` a second are written. Once it is known which version of a codec decodes a port
    of a device, the uplinks that have a reading of that version are not handed over.
    """
    versions: dict[tuple[str, str], str | None] = {}
    due = time.monotonic()
    for batch in _batches(uplinks):
        if ended.wait(max(0.0, due - time.monotonic())):
            return
        open_ones = [item for item in batch if not _is_current(item, versions)]
        yield from ((item, Outcome.UNCHANGED) for item in batch if _is_current(item, versions))
        answers = decode(open_ones) if open_ones else ()
        # Of the devices at hand: those before do not come again.
        versions = {_port(item): versions.get(_port(item)) for item in batch} | {
            _port(item): version for item, (_, version) in zip(open_ones, answers, strict=True)
        }
        yield from ((item, outcome) for item, (outcome, _) in zip(open_ones, answers, strict=True))
        written = sum(outcome in _WRITTEN for outcome, _ in answers)
        due = max(due, time.monotonic()) + written / rate


def _batches(uplinks: "Iterable[Item]") -> "Iterator[list[Item]]":
    """Put uplinks together that one call can take."""
    batch: list[Item] = []
    size = 0
    for item in uplinks:
        batch.append(item)
        size += len(msgspec.json.encode(item))
        if len(batch) == _MOST or size >= _LARGEST:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _needed(item: "Item") -> "Item":
    """Return what of a row decides its reading, and the reading that it has."""
    kept = {PARTITION_KEY, SORT_KEY, SAID, ENCRYPTED, *OF_THE_DECODER}
    return {name: value for name, value in item.items() if name in kept or _is_bytes(name)}


def _is_bytes(name: str) -> bool:
    return name.startswith("port") and name.endswith("_bytes")


def _port(item: "Item") -> tuple[str, str]:
    """Return what the choice of a codec depends on."""
    return item[PARTITION_KEY].get("S", ""), next(filter(_is_bytes, item), "")


def _is_current(item: "Item", versions: dict[tuple[str, str], str | None]) -> bool:
    version = versions.get(_port(item))
    return version is not None and DECODED in item and item.get(DECODED_BY) == {"S": version}
