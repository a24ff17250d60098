"""A marked test downlink, from AWS IoT to the bridge, whose answers come back as rows."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import boto3

from bridge.config import Config
from console.check import deployed
from console.check.chain import BrokenError, Link, NotTriedError
from console.check.looking import looking
from console.downlinks.trace import Trace
from console.store.history import rows, since_then
from contract.downlinks import Request, State, build_request
from contract.eui import one_case
from contract.names import CHECK_APPLICATION, PARTITION_KEY, SORT_KEY, event_partition
from contract.rows import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NO_DOWNLINKS = "there is no [downlinks] in the configuration"
_LIMIT = 10.0  # seconds for all its steps to be stored
_TICK = 0.1  # seconds
_PORT = 1
_SKEW = 300_000_000  # microseconds that the clocks of this host and of gateways may differ
_STEPS = (State.ACCEPTED, State.SUBMITTED, State.SENT)


class DownlinkTrip:
    """The hops of one downlink to the device ``check/CLIENT_ID``, which the bridge answers."""

    def __init__(self, config: Config, request_id: str, now: int) -> None:
        self._downlinks = config.downlinks
        self._deployment = config.aws.deployment
        self._device = f"{CHECK_APPLICATION}/{one_case(config.aws.client_id)}"
        expires = now + round(_LIMIT * 1_000_000)
        self._request = Request(request_id, _PORT, b"", expires=expires)
        self._since = now - _SKEW
        self._is_asked = False
        self._rows: Sequence[Row] = ()

    def links(self) -> Iterator[Link]:
        """Yield the hops in their order."""
        yield "downlink to AWS", self._ask
        yield "downlink to bridge", self._follow
        yield "downlink removed", self._remove

    def _ask(self) -> str:
        if self._downlinks is None:
            raise NotTriedError(NO_DOWNLINKS)
        if self._downlinks.share:
            raise NotTriedError("of bridges that share requests, another may be given it")
        topic = self._deployment.request_topic(self._device)
        with looking():
            client = boto3.client("iot-data")
            client.publish(topic=topic, qos=1, payload=build_request(self._request))
        self._is_asked = True
        return f"asked for on {topic}"

    def _follow(self) -> str:
        if not self._is_asked:
            raise NotTriedError("it was not asked for")
        table = deployed.table(self._deployment)
        states = self._states(table)
        if states != [*_STEPS]:
            came = ", ".join(states)
            raise BrokenError(
                f"{f'only {came}' if came else 'none of its steps'} in {table}"
                f" after {_LIMIT:.0f} s",
                "restart the bridge, and see in its log whether it is ready for downlinks, and"
                " what it refuses",
            )
        return f"{', '.join(states)}, stored in {table}"

    def _states(self, table: str) -> list[State]:
        """Return the states of the downlink that come in time, in their order."""
        query = since_then(table, event_partition(self._device), self._since)
        end = time.monotonic() + _LIMIT
        with looking():
            client = boto3.client("dynamodb")
            while True:
                found = list(rows(client, query.copy()))
                self._rows = [each for each in found if each.get("id") == self._request.id]
                trace = Trace(self._request.id, confirmed=False)
                states = [step.state for step in trace.news(self._rows)]
                if trace.ended or time.monotonic() > end:
                    return states
                time.sleep(_TICK)

    def _remove(self) -> str:
        if not self._rows:
            raise NotTriedError("nothing was stored")
        table = deployed.table(self._deployment)
        with looking():
            client = boto3.client("dynamodb")
            for row in self._rows:
                _delete(client, table, row)
        return f"its {len(self._rows)} rows are gone from {table}"


def _delete(client: "DynamoDBClient", table: str, row: Row) -> None:
    key = {name: {"S": str(row[name])} for name in (PARTITION_KEY, SORT_KEY)}
    client.delete_item(TableName=table, Key=key)
