"""The links that speak MQTT: one connection beside the bridge's own."""

from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from awscrt import mqtt5
from awscrt.exceptions import AwsCrtError
from awsiot import mqtt5_client_builder

from bridge.config import Aws
from console.check.chain import BrokenError
from console.check.files import NEW_KEY

_LIMIT = 10.0  # seconds
_FIRST_ERROR = 0x80
"""MQTT 5 reason codes from here on are failures (MQTT 5.0, 2.4)."""

_ENDPOINT = "see that endpoint in the configuration is AWS IoT's, and what is between"
_T = TypeVar("_T")


class Session:
    """A connection under a client ID of its own: a second of one ID would end the first.

    The policy of a bridge allows its name with a dot and more (``CLIENT_ID.*``).
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._owner = aws.client_id
        self._client_id = f"{aws.client_id}.check"
        self._problem: Future[str] = Future()
        self._stopped: Future[None] = Future()
        self._received: SimpleQueue[bytes] = SimpleQueue()
        self._client: mqtt5.Client | None = None

    def connect(self) -> str:
        """Connect.

        Raises:
            BrokenError: the broker refuses, or does not answer.

        """
        self._client = self._made()
        self._client.start()
        problem = _wait(self._problem, "no connection")
        if problem:
            raise BrokenError(
                f"refused as {self._client_id}: {problem}",
                "let client_id in the configuration be the name that was enrolled, and the"
                f" certificate active, with a policy that lets {self._owner}.* connect: with AWS"
                " credentials at hand, check tells which",
            )
        return f"connected as {self._client_id}"

    def publish(self, topic: str, payload: bytes) -> str:
        """Publish at QoS 1.

        Raises:
            BrokenError: the broker refuses, or does not answer.

        """
        assert self._client  # noqa: S101  # connected before
        packet = mqtt5.PublishPacket(topic=topic, payload=payload, qos=mqtt5.QoS.AT_LEAST_ONCE)
        answer = _wait(self._client.publish(packet), f"no PUBACK on {topic}")
        _accepted(answer.puback.reason_code, topic, "iot:Publish")
        return f"allowed on {topic}"

    def subscribe(self, topic: str) -> str:
        """Subscribe.

        Raises:
            BrokenError: the broker refuses, or does not answer.

        """
        assert self._client  # noqa: S101  # connected before
        packet = mqtt5.SubscribePacket([mqtt5.Subscription(topic, mqtt5.QoS.AT_LEAST_ONCE)])
        answer = _wait(self._client.subscribe(packet), f"no SUBACK on {topic}")
        _accepted(answer.reason_codes[0], topic, "iot:Subscribe and iot:Receive")
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

    def _made(self) -> mqtt5.Client:
        aws = self._aws
        try:
            return mqtt5_client_builder.mtls_from_path(
                cert_filepath=str(aws.certificate),
                pri_key_filepath=str(aws.private_key),
                ca_filepath=str(aws.root_ca) if aws.root_ca else None,
                endpoint=aws.endpoint,
                port=aws.port,
                client_id=self._client_id,
                on_publish_received=lambda data: self._received.put(data.publish_packet.payload),
                on_lifecycle_connection_success=lambda _data: self._answer(""),
                on_lifecycle_connection_failure=self._failed,
                on_lifecycle_stopped=lambda _data: self._stopped.set_result(None),
            )
        except (AwsCrtError, RuntimeError) as error:  # the SDK raises either
            raise BrokenError(f"the SDK cannot use key and certificate: {error}", NEW_KEY) from None

    def _answer(self, problem: str) -> None:
        if not self._problem.done():
            self._problem.set_result(problem)

    def _failed(self, data: mqtt5.LifecycleConnectFailureData) -> None:
        packet = data.connack_packet
        self._answer(_named(packet.reason_code) if packet else _named(data.exception))


def _wait(answer: "Future[_T]", failing: str) -> _T:
    try:
        return answer.result(_LIMIT)
    except TimeoutError:
        raise BrokenError(f"{failing} in {_LIMIT:.0f} s", _ENDPOINT) from None
    except (AwsCrtError, RuntimeError) as error:  # how the SDK ends what it cannot do
        raise BrokenError(f"{failing}: {_named(error)}", _ENDPOINT) from None


def _accepted(
    code: mqtt5.PubackReasonCode | mqtt5.SubackReasonCode, topic: str, rights: str
) -> None:
    if code >= _FIRST_ERROR:
        raise BrokenError(
            f"{topic}: {_named(code)}",
            f"let the policy of the certificate allow {rights} on it:"
            " npx cdk deploy --all --revert-drift",
        )


def _named(reason: object) -> str:
    return str(getattr(reason, "name", reason))
