"""The links that speak MQTT: one connection beside the bridge's own."""

from concurrent.futures import Future, wait
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from bridge.config import Aws
from bridge.mqtt.aws_iot import aws_client
from bridge.mqtt.client import Callbacks, Client, Failure, puback_failure, suback_failure
from console.check.chain import BrokenError
from console.check.files import NEW_KEY
from contract.errors import BridgeError
from contract.names import command_client_id

_LIMIT = 10.0  # seconds

_T = TypeVar("_T")
_ENDPOINT = "see that endpoint in the configuration is AWS IoT's, and what is between"


class Session:
    """A connection under a client ID of its own: a second of one ID would end the first.

    The policy of a bridge allows its name with a dot and more (``CLIENT_ID.*``).
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._owner = aws.client_id
        self._client_id = command_client_id(aws.client_id, "check")
        self._problem: Future[str] = Future()
        self._stopped: Future[None] = Future()
        self._received: SimpleQueue[bytes] = SimpleQueue()
        self._client: Client | None = None

    def connect(self) -> str:
        """Connect.

        Raises:
            BrokenError: the broker refuses, or does not answer.

        """
        self._client = self._made()
        self._client.start()
        _wait(self._problem, "no connection")
        problem = self._problem.result()
        if problem:
            raise BrokenError(
                f"refused as {self._client_id}: {problem}",
                "let client_id in the configuration be the name that was enrolled, and the"
                " certificate one that is deployed and active, with a policy that lets"
                f" {self._owner}.* connect: with AWS credentials at hand, check tells which",
            )
        return f"connected as {self._client_id}"

    def publish(self, topic: str, payload: bytes) -> str:
        """Publish at QoS 1.

        Raises:
            BrokenError: the broker refuses, or does not answer.

        """
        assert self._client  # noqa: S101  # connected before
        publishing = self._client.publish(topic, payload)
        _wait(publishing, f"no PUBACK on {topic}")
        _accepted(puback_failure(publishing), topic, "PUBACK", "iot:Publish")
        return f"allowed on {topic}"

    def subscribe(self, topic: str) -> str:
        """Subscribe.

        Raises:
            BrokenError: the broker refuses, or does not answer.

        """
        assert self._client  # noqa: S101  # connected before
        subscribing = self._client.subscribe([topic])
        _wait(subscribing, f"no SUBACK on {topic}")
        _accepted(suback_failure(subscribing), topic, "SUBACK", "iot:Subscribe and iot:Receive")
        return f"allowed on {topic}"

    def received(self, seconds: float) -> bytes | None:
        """Return the next message, None if none comes in that time."""
        try:
            return self._received.get(timeout=seconds)
        except Empty:
            return None

    def close(self) -> None:
        """Disconnect."""
        if self._client:
            self._client.stop()
            with suppress(TimeoutError):
                self._stopped.result(_LIMIT)

    def _made(self) -> Client:
        callbacks = Callbacks(
            connected=lambda: self._answer(""),
            failed=self._answer,
            stopped=lambda: self._stopped.set_result(None),
            received=lambda _topic, payload: self._received.put(payload),
        )
        try:
            return aws_client(self._aws, self._client_id, callbacks)
        except BridgeError as error:
            raise BrokenError(str(error), NEW_KEY) from None

    def _answer(self, problem: str) -> None:
        if not self._problem.done():
            self._problem.set_result(problem)


def _wait(answer: "Future[_T]", failing: str) -> None:
    if answer not in wait([answer], _LIMIT).done:
        raise BrokenError(f"{failing} in {_LIMIT:.0f} s", _ENDPOINT)


def _accepted(failure: Failure | None, topic: str, answer: str, rights: str) -> None:
    if failure is None:
        return
    if failure.code is None:  # the SDK gave up
        raise BrokenError(f"no {answer} on {topic}: {failure.reason}", _ENDPOINT)
    raise BrokenError(
        f"{topic}: {failure.reason}",
        f"let the policy of the certificate allow {rights} on it:"
        " npx cdk deploy --all --revert-drift",
    )
