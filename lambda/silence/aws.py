"""What the function reads and writes in AWS."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from contract.device_list import (
    HEARD_AGAIN,
    KIND_KEY,
    KINDS,
    NETWORK_KIND,
    SILENT_SINCE,
    USUAL_INTERVAL,
    kind_of,
)
from contract.names import PARTITION_KEY, SORT_KEY
from contract.silence import AHEAD, LOOKED_AT
from contract.times import format_time, parse_time
from silence.judging import Outcome
from silence.known import Device, Network, device_of, network_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        UpdateItemInputTypeDef,
    )

    Item = dict[str, AttributeValueTypeDef]

_AT_A_TIME = 200  # looks, after which there may be no time for more: a sample is smaller


class DeviceList:
    """The table of the list of devices."""

    def __init__(self, client: "DynamoDBClient", table: str, threads: Executor) -> None:
        self._client = client
        self._table = table
        self._threads = threads

    def devices(self) -> Iterator[Device]:
        """Yield all devices, page after page."""
        for kind in KINDS:
            yield from map(device_of, self._items(kind))

    def network(self) -> Network:
        """Return what was noted of the network."""
        return network_of(next(self._items(NETWORK_KIND), {}))

    def write(self, outcome: Outcome, before: Network) -> None:
        """Note what was found; what nobody was told of before, they must have been told by now.

        What they were told is noted first: the run may end among thousands of learnt intervals.
        """
        if outcome.network != before:
            self._write_network(outcome.network)
        sets: dict[str, Item] = {
            name: {USUAL_INTERVAL: {"N": str(interval)}}
            for name, interval in outcome.learnt.items()
        }
        for each in outcome.fallen:
            sets.setdefault(each.name, {})[SILENT_SINCE] = {"S": format_time(each.newest)}
        removed = {*outcome.back, *outcome.unwatched}
        names = dict.fromkeys([each.name for each in outcome.fallen])
        names |= dict.fromkeys([*outcome.back, *outcome.unwatched, *outcome.learnt])

        def write(name: str) -> None:
            key: Item = {KIND_KEY: {"S": kind_of(name)}, PARTITION_KEY: {"S": name}}
            request = self._request(key, sets.get(name, {}), [SILENT_SINCE] * (name in removed))
            request["ConditionExpression"] = f"attribute_exists({PARTITION_KEY})"
            with suppress(self._client.exceptions.ConditionalCheckFailedException):
                self._client.update_item(**request)  # who deleted it wants it to be gone

        for _ in self._threads.map(write, names):
            pass

    def _items(self, kind: str) -> "Iterator[Item]":
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#kind = :kind",
            ExpressionAttributeNames={"#kind": KIND_KEY},
            ExpressionAttributeValues={":kind": {"S": kind}},
        )
        for page in pages:
            yield from page["Items"]

    def _write_network(self, network: Network) -> None:
        key: Item = {KIND_KEY: {"S": NETWORK_KIND}, PARTITION_KEY: {"S": NETWORK_KIND}}
        if network.silent_since is None:
            sets: Item = {HEARD_AGAIN: {"S": format_time(network.heard_again)}}
            self._client.update_item(**self._request(key, sets, [SILENT_SINCE]))
        else:
            sets = {SILENT_SINCE: {"S": format_time(network.silent_since)}}
            self._client.update_item(**self._request(key, sets, []))

    def _request(
        self, key: "Item", sets: "Item", removed: Sequence[str]
    ) -> "UpdateItemInputTypeDef":
        changes = [f"SET {', '.join(f'{name} = :{name}' for name in sets)}"] if sets else []
        changes += [f"REMOVE {', '.join(removed)}"] if removed else []
        request: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": " ".join(changes),
        }
        if sets:
            request["ExpressionAttributeValues"] = {f":{name}": sets[name] for name in sets}
        return request


class Uplinks:
    """The table of uplinks."""

    def __init__(self, client: "DynamoDBClient", table: str, threads: Executor) -> None:
        self._client = client
        self._table = table
        self._threads = threads

    def look(
        self, devices: Sequence[str], now: int, is_time: Callable[[], bool]
    ) -> Mapping[str, Sequence[int]]:
        """Return when the newest uplinks of devices came, until there is no time for more.

        There is for the first of them. Uplinks of a clock that is further ahead of ``now`` than the
        bridge believes a gateway do not count.
        """
        found: dict[str, list[int]] = {}
        left = iter(devices)
        while some := [*islice(left, _AT_A_TIME)]:
            times = self._threads.map(lambda name: self._times(name, now), some)
            found |= zip(some, times, strict=True)
            if not is_time():
                break
        return found

    def _times(self, device: str, now: int) -> list[int]:
        last = format_time(now + AHEAD)
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="#device = :device AND #time <= :last",
            ProjectionExpression="#time",
            ExpressionAttributeNames={"#device": PARTITION_KEY, "#time": SORT_KEY},
            ExpressionAttributeValues={":device": {"S": device}, ":last": {"S": last}},
            ScanIndexForward=False,
            Limit=LOOKED_AT,
        )
        times = (parse_time(item[SORT_KEY]["S"]) for item in answer["Items"])
        return [time for time in times if time is not None]
