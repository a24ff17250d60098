"""One connection to AWS IoT through the SDK, which is confined to this module.

The SDK calls back on threads of its own; everything here is handed to the event loop.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from awscrt import mqtt5
from awscrt.exceptions import AwsCrtError
from awsiot import mqtt5_client_builder

from bridge.config import Aws
from bridge.errors import BridgeError
from bridge.spool import Waiting

_KEEP_ALIVE = 30  # seconds: AWS IoT takes 30 to 1200
_PING_TIMEOUT = 10  # seconds; a dead connection is noticed after at most their sum
_ACK_TIMEOUT = 60  # seconds
_MIN_RECONNECT, _MAX_RECONNECT = 1, 10  # seconds
_NO_ANSWER = {"AWS_ERROR_MQTT_TIMEOUT", "AWS_ERROR_MQTT5_USER_REQUESTED_STOP"}
"""How the SDK ends a publish that got no PUBACK. Its other errors would come again at once."""
_FIRST_ERROR = 0x80
"""MQTT 5 reason codes from here on are failures (MQTT 5.0, 2.4)."""


class Result(Enum):
    """How a publish ended."""

    DELIVERED = auto()
    REFUSED = auto()  # the PUBACK carried an error, or the SDK itself refused
    UNANSWERED = auto()  # no PUBACK came


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the publish of ``waiting`` ended, and in what words where it failed."""

    waiting: Waiting
    result: Result
    detail: str = ""


@dataclass(frozen=True)
class Events:
    """What the connection reports, all on the event loop's thread."""

    connected: Callable[[], None]
    lost: Callable[[str], None]
    """Not connected, with the reason; reconnecting goes on by itself."""
    ended: Callable[[list[Outcome]], None]


class Connection:
    """An MQTT 5 client under one client ID.

    Raises:
        BridgeError: the certificate, key or CA cannot be used.

    """

    def __init__(self, aws: Aws, client_id: str, events: Events) -> None:
        self._loop = asyncio.get_running_loop()
        self._events = events
        self._outcomes: list[Outcome] = []
        self._outcomes_lock = threading.Lock()
        self._stopped = asyncio.Event()
        self._restarting = False
        for path in filter(None, (aws.certificate, aws.private_key, aws.root_ca)):
            if not path.is_file():
                raise BridgeError(f"{path}: no such file: see 'lora-bridge enroll --help'")
        try:
            self._client = mqtt5_client_builder.mtls_from_path(
                cert_filepath=str(aws.certificate),
                pri_key_filepath=str(aws.private_key),
                ca_filepath=str(aws.root_ca) if aws.root_ca else None,
                endpoint=aws.endpoint,
                port=aws.port,
                client_id=client_id,
                keep_alive_interval_sec=_KEEP_ALIVE,
                ping_timeout_ms=_PING_TIMEOUT * 1000,
                ack_timeout_sec=_ACK_TIMEOUT,
                min_reconnect_delay_ms=_MIN_RECONNECT * 1000,
                max_reconnect_delay_ms=_MAX_RECONNECT * 1000,
                extended_validation_and_flow_control_options=_flow_control(aws),
                on_lifecycle_connection_success=self._on_success,
                on_lifecycle_connection_failure=self._on_failure,
                on_lifecycle_disconnection=self._on_disconnection,
                on_lifecycle_stopped=self._on_stopped,
            )
        except (AwsCrtError, RuntimeError) as error:  # the SDK raises either
            files = f"{aws.certificate}, {aws.private_key}" + (
                f", {aws.root_ca}" if aws.root_ca else ""
            )
            raise BridgeError(
                f"cannot use {files}: not PEM, or key and certificate differ: {error}"
            ) from None

    def start(self) -> None:
        """Connect, and reconnect for ever."""
        self._client.start()

    def publish(self, waiting: Waiting) -> None:
        """Publish at QoS 1; ``Events.ended`` tells how it went."""
        packet = mqtt5.PublishPacket(
            topic=waiting.message.topic,
            payload=waiting.message.payload,
            qos=mqtt5.QoS.AT_LEAST_ONCE,
        )

        def done(future: "Future[mqtt5.PublishCompletionData]") -> None:
            outcome = _outcome(waiting, future)
            with self._outcomes_lock:
                self._outcomes.append(outcome)
                first = len(self._outcomes) == 1
            if first:  # it wakes the loop for all that follow
                self._report(self._end_all)

        self._client.publish(packet).add_done_callback(done)

    def restart(self) -> None:
        """Connect anew. Every publish under way ends as unanswered.

        The only way to get back the places of publishes that the broker will never answer: the
        SDK counts them against the broker's receive maximum until the connection ends.
        """
        if not self._restarting:
            self._restarting = True
            self._client.stop(mqtt5.DisconnectPacket())

    async def stop(self) -> None:
        """Say DISCONNECT to the broker and end the client. Publishes under way end too."""
        self._restarting = False
        self._client.stop(mqtt5.DisconnectPacket())
        await self._stopped.wait()

    def _end_all(self) -> None:
        with self._outcomes_lock:
            outcomes, self._outcomes = self._outcomes, []
        self._events.ended(outcomes)

    def _on_success(self, _data: mqtt5.LifecycleConnectSuccessData) -> None:
        self._report(self._events.connected)

    def _on_failure(self, data: mqtt5.LifecycleConnectFailureData) -> None:
        answer = data.connack_packet
        reason = answer.reason_code.name if answer else data.exception.name
        self._report(partial(self._events.lost, str(reason)))

    def _on_disconnection(self, data: mqtt5.LifecycleDisconnectData) -> None:
        if self._restarting:
            return
        farewell = data.disconnect_packet
        reason = farewell.reason_code.name if farewell else data.exception.name
        self._report(partial(self._events.lost, str(reason)))

    def _on_stopped(self, _data: mqtt5.LifecycleStoppedData) -> None:
        self._report(self._end)

    def _end(self) -> None:
        if self._restarting:
            self._restarting = False
            self._client.start()
        else:
            self._stopped.set()

    def _report(self, call: Callable[[], object]) -> None:
        # After the loop has closed there is nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)


def _flow_control(aws: Aws) -> mqtt5.ExtendedValidationAndFlowControlOptions:
    options = mqtt5.ExtendedValidationAndFlowControlOptions
    return options.AWS_IOT_CORE_DEFAULTS if aws.respect_quotas else options.NONE


def _outcome(waiting: Waiting, future: "Future[mqtt5.PublishCompletionData]") -> Outcome:
    error = future.exception()
    if error is not None:
        name = getattr(error, "name", str(error))
        result = Result.UNANSWERED if name in _NO_ANSWER else Result.REFUSED
        return Outcome(waiting, result, name)
    puback = future.result().puback
    if puback.reason_code is None:
        return Outcome(waiting, Result.REFUSED, "unknown reason code")
    if puback.reason_code < _FIRST_ERROR:
        return Outcome(waiting, Result.DELIVERED)
    words = f"{puback.reason_code.name} (0x{puback.reason_code:02x})"
    return Outcome(waiting, Result.REFUSED, words)
