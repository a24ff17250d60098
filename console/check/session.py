"""One MQTT connection to a broker, beside the bridge's own."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar

from bridge.config import Aws
from bridge.mqtt import told
from bridge.mqtt.aws_iot import aws_client
from bridge.mqtt.client import Callbacks, Client, nobody_listens, puback_failure, suback_failure
from bridge.mqtt.told import Delivery, Failure
from console.check.chain import BrokenError
from console.check.files import NEW_KEY
from contract.errors import BridgeError
from contract.names import command_client_id

_LIMIT = 10.0  # seconds

_T = TypeVar("_T")


@dataclass(frozen=True)
class Remedies:
    """What to do about a broker: about files that cannot be used, and what else may go wrong."""

    unusable: str
    silent: str
    refused: str
    publish: str
    subscribe: str


class Session:
    """A connection under a client ID of its own: a second of one ID would end the first."""

    def __init__(
        self, client_id: str, make: Callable[[Callbacks], Client], remedies: Remedies
    ) -> None:
        self._client_id = client_id
        self._make = make
        self._remedies = remedies
        self._problem: Future[str] = Future()
        self._stopped: Future[None] = Future()
        self._joined: Future[told.Session] = Future()
        self._received: SimpleQueue[Delivery] = SimpleQueue()
        self._client: Client | None = None

    def connect(self) -> str:
        """Connect.

        Raises:
            BrokenError: the broker refuses, or does not answer.

        """
        self._client = self._made()
        self._client.start()
        self._wait(self._problem, "no connection")
        problem = self._problem.result()
        if problem:
            raise BrokenError(
                f"refused as {self._client_id}: {problem}",
                self._remedies.refused,
            )
        return f"connected as {self._client_id}"

    @property
    def granted(self) -> told.Session:
        """What the broker says of the session that it has let in."""
        return self._joined.result(0)

    def publish(self, topic: str, payload: bytes) -> str:
        """Publish at QoS 1.

        Raises:
            BrokenError: the broker refuses, or does not answer.

        """
        self.is_heard(topic, payload)
        return f"allowed on {topic}"

    def is_heard(self, topic: str, payload: bytes) -> bool:
        """Publish at QoS 1; return whether anybody had subscribed.

        Raises:
            BrokenError: the broker refuses, or does not answer.

        """
        assert self._client  # noqa: S101  # connected before
        publishing = self._client.publish(topic, payload)
        self._wait(publishing, f"no PUBACK on {topic}")
        failure = puback_failure(publishing)
        self._require_none(failure, topic, "PUBACK", self._remedies.publish)
        return not nobody_listens(publishing)

    def subscribe(self, topic: str) -> str:
        """Subscribe at QoS 1.

        Raises:
            BrokenError: the broker refuses, or does not answer.

        """
        assert self._client  # noqa: S101  # connected before
        subscribing = self._client.subscribe([topic])
        self._wait(subscribing, f"no SUBACK on {topic}")
        failure = suback_failure(subscribing)
        self._require_none(failure, topic, "SUBACK", self._remedies.subscribe)
        return f"allowed on {topic}"

    def received(self, seconds: float) -> Delivery | None:
        """Return the next message, None if none comes in that time."""
        try:
            delivery = self._received.get(timeout=seconds)
        except Empty:
            return None
        if delivery.acknowledge is not None:
            delivery.acknowledge()
        return delivery

    def close(self) -> None:
        """Disconnect."""
        if self._client:
            self._client.stop()
            with suppress(TimeoutError):
                self._stopped.result(_LIMIT)

    def _made(self) -> Client:
        callbacks = Callbacks(
            joined=self._join,
            connected=lambda: self._answer(""),
            failed=self._answer,
            stopped=lambda: self._stopped.set_result(None),
            entrusted=self._received.put,
        )
        try:
            return self._make(callbacks)
        except BridgeError as error:
            raise BrokenError(str(error), self._remedies.unusable) from None

    def _join(self, session: told.Session) -> None:
        if not self._joined.done():
            self._joined.set_result(session)

    def _answer(self, problem: str) -> None:
        if not self._problem.done():
            self._problem.set_result(problem)

    def _wait(self, answer: "Future[_T]", failing: str) -> None:
        if answer not in wait([answer], _LIMIT).done:
            raise BrokenError(f"{failing} in {_LIMIT:.0f} s", self._remedies.silent)

    def _require_none(self, failure: Failure | None, topic: str, answer: str, refused: str) -> None:
        if failure is None:
            return
        if failure.code is None:  # the SDK gave up
            raise BrokenError(f"no {answer} on {topic}: {failure.reason}", self._remedies.silent)
        raise BrokenError(f"{topic}: {failure.reason}", refused)


def aws_session(aws: Aws) -> Session:
    """Return a session at AWS IoT.

    The policy of a bridge allows its name with a dot and more (``CLIENT_ID.*``).
    """
    client_id = command_client_id(aws.client_id, "check")
    return Session(client_id, partial(aws_client, aws, client_id), _remedies(aws))


def _remedies(aws: Aws) -> Remedies:
    allow = "let the policy of the certificate allow {} on it: npx cdk deploy --all --revert-drift"
    return Remedies(
        unusable=NEW_KEY,
        silent="see that endpoint in the configuration is AWS IoT's, and what is between",
        refused="let client_id in the configuration be the name that was enrolled, and the"
        " certificate one that is deployed and active, with a policy that lets"
        f" {aws.client_id}.* connect: with AWS credentials at hand, check tells which",
        publish=allow.format("iot:Publish"),
        subscribe=allow.format("iot:Subscribe and iot:Receive"),
    )
