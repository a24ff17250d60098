"""Stays connected and subscribed as a consumer, and says when it is not."""

import logging
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from queue import SimpleQueue

from bridge.config import Aws
from bridge.mqtt.aws_iot import aws_client
from bridge.mqtt.client import STOPPED, TIMEOUT, Callbacks, Subscribing, suback_failure
from console.identity.enroll import Endpoint
from contract.deployment import Deployment
from contract.errors import BridgeError

_ANSWER_LIMIT = 15.0  # seconds
_NOT_AUTHORIZED = "NOT_AUTHORIZED"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Consumer:
    """Who listens: the name whose key and certificate are in ``folder``, as whom, and where.

    No other program may be connected under ``client_id``: each would end the other's connection.
    """

    deployment: Deployment
    name: str
    client_id: str
    folder: Path
    endpoint: Endpoint


class Change(Enum):
    """What becomes of a subscription, told among the messages, in their order."""

    LOST = auto()
    MADE = auto()


Heard = tuple[str, bytes] | Change | BridgeError
"""Topic and payload of a message; or a change; or why there will be no more messages."""


@contextmanager
def subscribed(consumer: Consumer, topics: tuple[str, ...]) -> "Iterator[SimpleQueue[Heard]]":
    """Give a queue of what is heard, once subscribed; connect and subscribe again when need be.

    Raises:
        BridgeError: the key or certificate cannot be used, or AWS IoT refuses.

    """
    subscription = _Subscription(consumer, topics)
    client = subscription.client
    client.start()
    try:
        if problem := subscription.first_answer():
            raise BridgeError(problem)
        yield subscription.heard
    finally:
        client.stop()


class _Subscription:
    """A client that is told, on the SDK's thread, what becomes of its connection."""

    def __init__(self, consumer: Consumer, topics: tuple[str, ...]) -> None:
        self.heard: SimpleQueue[Heard] = SimpleQueue()
        self._consumer = consumer
        self._where = f"{consumer.endpoint.host}:{consumer.endpoint.port}"
        self._topics = topics
        self._first: Future[str] = Future()
        self._said = ""
        callbacks = Callbacks(
            connected=self._on_connected,
            failed=self._on_failed,
            lost=self._on_lost,
            received=lambda topic, payload: self.heard.put((topic, payload)),
        )
        self.client = aws_client(_settings(consumer), consumer.client_id, callbacks)

    def first_answer(self) -> str:
        """Wait for the first attempt to end; return why it failed, or nothing."""
        try:
            return self._first.result(_ANSWER_LIMIT)
        except TimeoutError:
            return f"{self._where} does not answer"

    def _on_connected(self) -> None:
        self.client.subscribe(self._topics).add_done_callback(self._on_answered)

    def _on_answered(self, subscribing: Subscribing) -> None:
        failure = suback_failure(subscribing)
        if failure is None:
            self.heard.put(Change.MADE)
            if self._first.done():
                self._say("connected again; what was stored in the meantime follows")
            else:
                self._first.set_result("")
        elif failure.code is None and failure.reason != TIMEOUT:
            # The connection broke meanwhile, and is made again.
            self._failed(f"not subscribed: {failure.reason}")
        else:
            self._end(f"AWS IoT does not grant the subscription: {failure.reason}")

    def _on_failed(self, reason: str) -> None:
        name = self._consumer.name
        clients = f"{self._consumer.deployment.thing(name)}.*"
        remedy = f": deploy the stack of {name} again: its policy must let {clients} connect"
        problem = f"no connection to {self._where} as {self._consumer.client_id}: {reason}"
        self._failed(problem + remedy * (reason == _NOT_AUTHORIZED))

    def _on_lost(self, reason: str) -> None:
        if reason == STOPPED:
            return
        self.heard.put(Change.LOST)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._say(f"disconnected from {self._where} at {now}: {reason}; connecting again")

    def _end(self, problem: str) -> None:
        """Tell of what is not tried again: the connection is there, and nothing would come."""
        self.heard.put(BridgeError(problem))
        if not self._first.done():
            self._first.set_result(problem)

    def _failed(self, problem: str) -> None:
        if self._first.done():
            self._say(f"{problem}; trying again")
        else:
            self._first.set_result(problem)

    def _say(self, what: str) -> None:
        """Warn, but not of the same at each attempt."""
        if what != self._said:
            self._said = what
            _log.warning("%s", what)


def _settings(consumer: Consumer) -> Aws:
    return Aws(
        endpoint=consumer.endpoint.host,
        port=consumer.endpoint.port,
        client_id=consumer.client_id,
        certificate=consumer.folder / f"{consumer.name}.pem",
        private_key=consumer.folder / f"{consumer.name}.key",
        root_ca=consumer.endpoint.root_ca,
    )
