"""A marked test uplink, through the bridge to its row, and away again."""

import secrets
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import msgspec

from bridge.config import Config
from console.check import deployed
from console.check.chain import BrokenError, Link
from console.check.looking import looking
from console.check.session import Session
from console.check.test_uplink import MarkedUplink
from console.check.to_bridge import send
from console.recovery.error_queue import ErrorQueue, Held
from console.recovery.failures import Failure, listed
from contract.names import PARTITION_KEY, SORT_KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_LIMIT = 10.0  # seconds for each hop
_TICK = 0.1  # seconds
_HIDDEN = 15  # seconds, for messages of the error queue that are looked at: longer than that takes


class RoundTrip:
    """The hops of one uplink. The decoder ignores it."""

    def __init__(self, config: Config, session: Session) -> None:
        self._config = config
        self._session = session
        self._sent = False
        self._deployment = config.aws.deployment
        self._uplink = MarkedUplink(self._deployment, config.aws.client_id, secrets.token_bytes(8))
        self._key: dict[str, AttributeValueTypeDef]

    def links(self) -> Iterator[Link]:
        """Yield the hops in their order."""
        yield "subscribe", lambda: self._session.subscribe(self._uplink.topic)
        yield "uplink to bridge", self._send
        if not self._sent:
            return
        yield "uplink to broker", self._receive
        yield "uplink to table", self._find
        yield "uplink removed", self._remove

    def _send(self) -> str:
        taken = send(self._uplink, self._config)
        self._sent = True
        return taken

    def _receive(self) -> str:
        end = time.monotonic() + _LIMIT
        while (left := end - time.monotonic()) > 0:
            delivery = self._session.received(left)
            if delivery is not None and self._uplink.is_in(delivery.payload):
                self._key = _key(self._uplink.device, delivery.payload)
                return f"published on {self._uplink.topic}"
        raise BrokenError(
            f"nothing on {self._uplink.topic} in {_LIMIT:.0f} s",
            "see the bridge's log: whether it is connected, what it refuses, and how many wait",
        )

    def _find(self) -> str:
        table = deployed.table(self._deployment)
        end = time.monotonic() + _LIMIT
        with looking():
            client = boto3.client("dynamodb")
            while time.monotonic() < end:
                if "Item" in client.get_item(TableName=table, Key=self._key):
                    return f"stored in {table}"
                time.sleep(_TICK)
            reason = self._reason()
        raise BrokenError(
            f"no row in {table} after {_LIMIT:.0f} s: {reason}",
            "bring rule, role and table back: npx cdk deploy --all --revert-drift",
        )

    def _reason(self) -> str:
        """Return what the rule said of the uplink, and take it from the error queue."""
        url = deployed.error_queue(self._deployment)
        queue = ErrorQueue(boto3.client("sqs"), url, self._deployment)
        end = time.monotonic() + _LIMIT
        others: list[Held] = []
        try:
            while time.monotonic() < end and (batch := queue.receive(_HIDDEN)):
                ours = [each for each in batch if self._is_ours(each.failure)]
                others += [each for each in batch if each not in ours]
                if ours:
                    queue.remove(ours)
                    return listed(ours[0].failure).reason
        finally:
            queue.give_back(others)
        return "the rule says nothing of it"

    def _is_ours(self, failure: Failure) -> bool:
        action = failure.action
        return action is not None and self._uplink.is_in(action.base64_original_payload)

    def _remove(self) -> str:
        table = deployed.table(self._deployment)
        with looking():
            boto3.client("dynamodb").delete_item(TableName=table, Key=self._key)
        return f"gone from {table}"


def _key(device: str, payload: bytes) -> "dict[str, AttributeValueTypeDef]":
    timestamp = msgspec.json.decode(payload, type=dict[str, object])[SORT_KEY]
    return {PARTITION_KEY: {"S": device}, SORT_KEY: {"S": str(timestamp)}}
