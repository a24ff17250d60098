"""One connection to AWS IoT through the SDK, which is confined to this module.

The SDK calls back on threads of its own; everything here is handed to the event loop.
"""

import asyncio
import ctypes
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path
from time import perf_counter

import msgspec
from awscrt import io, mqtt5
from awscrt.exceptions import AwsCrtError
from awsiot import mqtt5_client_builder

from bridge.aws_iot.latencies import Latencies
from bridge.aws_iot.window import Window
from bridge.config import Aws
from bridge.messages.trace import trace, traced
from bridge.spool.waiting import Waiting
from contract.errors import BridgeError

_KEEP_ALIVE = 30  # seconds: AWS IoT takes 30 to 1200
_PING_TIMEOUT = 10  # seconds; a dead connection is noticed after at most their sum
_ACK_TIMEOUT = 30  # seconds
_MIN_RECONNECT = 500  # milliseconds
_GATHER = 0.02
"""Seconds for which outcomes gather before the event loop is told: waking it costs more than
handling one. Nothing waits for it, since the window goes on by itself."""
TIMEOUT = "AWS_ERROR_MQTT_TIMEOUT"
_NO_ANSWER = {TIMEOUT, "AWS_ERROR_MQTT5_USER_REQUESTED_STOP"}
"""How the SDK ends a publish that got no PUBACK. Its other errors would come again at once."""
_FIRST_ERROR = 0x80
"""MQTT 5 reason codes from here on are failures (MQTT 5.0, 2.4)."""
_QUOTA_EXCEEDED = 0x97


class Result(Enum):
    """How a publish ended."""

    DELIVERED = auto()
    REFUSED = auto()  # the PUBACK carried an error, or the SDK itself refused
    THROTTLED = auto()  # the PUBACK asked for a slower pace
    UNANSWERED = auto()  # no PUBACK came


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """How the publish of ``waiting`` ended, and in what words where it failed."""

    waiting: Waiting
    result: Result = Result.DELIVERED
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
        self._client_id = client_id
        self._outcomes: deque[Outcome] = deque()
        self._packet = mqtt5.PublishPacket(qos=mqtt5.QoS.AT_LEAST_ONCE)
        self._told = False  # the event loop will look at the outcomes
        self.window = Window(aws.max_inflight, self._publish)
        self._stopped = asyncio.Event()
        self._restarting = False
        self._thread_kept = False
        self.latencies = Latencies()
        for path in filter(None, (aws.certificate, aws.private_key, aws.root_ca)):
            _require_readable(path)
        half = aws.max_backoff * 1000 // 2
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
                # An attempt and the pause before the next take half of max_backoff each, so that
                # one is made within max_backoff of the broker's return.
                socket_options=_socket_options(half),
                connack_timeout_ms=half,
                min_reconnect_delay_ms=min(_MIN_RECONNECT, half),
                max_reconnect_delay_ms=half,
                cipher_pref=_cipher_preference(),
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

    def restart(self) -> None:
        """Connect anew. Every publish under way ends as unanswered.

        The only way to get back the places of publishes that the broker will never answer: the
        SDK counts them against the broker's receive maximum until the connection ends.
        """
        if not self._restarting:
            self._restarting = True
            self.window.close()
            # No DISCONNECT: the SDK would wait until a connection that takes no bytes took it.
            self._client.stop()

    async def stop(self) -> None:
        """Say DISCONNECT to the broker and end the client. Publishes under way end too."""
        self._restarting = False
        self.window.close()
        self._client.stop(mqtt5.DisconnectPacket())
        await self._stopped.wait()

    def report_ended(self) -> None:
        """Report what has ended so far, without gathering more."""
        self._told = False  # before looking, so that what comes meanwhile is told again
        outcomes = [self._outcomes.popleft() for _ in range(len(self._outcomes))]
        if outcomes:
            self._events.ended(outcomes)

    def _publish(self, waiting: Waiting) -> None:
        if traced():
            trace([waiting], f"publishing as {self._client_id}")
        packet = self._packet  # one for all: the SDK copies it
        packet.topic, packet.payload = waiting.topic, waiting.payload
        try:
            future = self._client.publish(packet)
        except Exception as error:  # noqa: BLE001  # whatever the SDK has against it
            future = Future()
            future.set_exception(error)
        future.add_done_callback(partial(self._on_answer, waiting, perf_counter()))

    def _on_answer(
        self, waiting: Waiting, began: float, future: "Future[mqtt5.PublishCompletionData]"
    ) -> None:
        failure = _failure(future)
        if failure is None:
            self.latencies.note(perf_counter() - began)
            self._outcomes.append(Outcome(waiting))
        else:
            if failure[0] is not Result.REFUSED:
                # To be dealt with before anything else is published, or order would suffer.
                self.window.close()
            self._outcomes.append(Outcome(waiting, *failure))
        if not self._told:
            self._told = True
            self._report(self._gather)
        self.window.answered(waiting)

    def _gather(self) -> None:
        self._loop.call_later(_GATHER, self.report_ended)

    def _on_success(self, _data: mqtt5.LifecycleConnectSuccessData) -> None:
        if not self._thread_kept:
            self._thread_kept = True
            keep_thread_state()
        self._report(self._connected)

    def _connected(self) -> None:
        self.report_ended()  # what the connection before left unanswered goes first
        self._events.connected()

    def _on_failure(self, data: mqtt5.LifecycleConnectFailureData) -> None:
        answer = data.connack_packet
        self._report(
            partial(self._events.lost, _name(answer.reason_code if answer else data.exception))
        )

    def _on_disconnection(self, data: mqtt5.LifecycleDisconnectData) -> None:
        self.window.close()
        if self._restarting:
            return
        farewell = data.disconnect_packet
        self._report(
            partial(self._events.lost, _name(farewell.reason_code if farewell else data.exception))
        )

    def _on_stopped(self, _data: mqtt5.LifecycleStoppedData) -> None:
        self._report(self._end)

    def _end(self) -> None:
        self.report_ended()
        if self._restarting:
            self._restarting = False
            self._client.start()
        else:
            self._stopped.set()

    def _report(self, call: Callable[[], object]) -> None:
        # After the loop has closed there is nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)


def _require_readable(path: Path) -> None:
    try:
        path.read_bytes()
    except FileNotFoundError:
        raise BridgeError(f"{path}: no such file: see 'lora-bridge enroll --help'") from None
    except OSError as error:
        raise BridgeError(
            f"{path}: {error.strerror}: whoever runs the bridge must be able to read it"
        ) from None


def keep_thread_state() -> None:
    """Let the calling thread, the SDK's, keep its state in the interpreter.

    Python makes a state for each call from a thread that it did not start, and drops it after the
    call: that maps memory and unmaps it, which interrupts the event loop's core, for each PUBACK.
    One call of PyGILState_Ensure without a release keeps it (docs.python.org/3/c-api/init.html,
    "Non-Python created threads"). A connection has one thread for as long as it lives.
    """
    ctypes.pythonapi.PyGILState_Ensure()


def _flow_control(aws: Aws) -> mqtt5.ExtendedValidationAndFlowControlOptions:
    options = mqtt5.ExtendedValidationAndFlowControlOptions
    return options.AWS_IOT_CORE_DEFAULTS if aws.respect_quotas else options.NONE


def _socket_options(connect_timeout: int) -> io.SocketOptions:
    options = io.SocketOptions()
    options.connect_timeout_ms = connect_timeout
    return options


def _cipher_preference() -> io.TlsCipherPref:
    """Return the one that wants TLS 1.2 or newer, where the platform can choose at all."""
    wanted = io.TlsCipherPref.TLSv1_2_2025_07
    return wanted if wanted.is_supported() else io.TlsCipherPref.DEFAULT


def _name(reason: object) -> str:
    """Return the SDK's name for a reason code or an error, or what there is in its place."""
    return str(getattr(reason, "name", reason))


def _failure(future: "Future[mqtt5.PublishCompletionData]") -> tuple[Result, str] | None:
    """Return why a publish was not delivered, or None."""
    try:
        code = future.result().puback.reason_code
    except Exception as error:  # noqa: BLE001  # whatever the SDK gave it
        name = _name(error)
        return (Result.UNANSWERED if name in _NO_ANSWER else Result.REFUSED), name
    if code is None:
        return Result.REFUSED, "unknown reason code"
    if code < _FIRST_ERROR:
        return None
    result = Result.THROTTLED if code == _QUOTA_EXCEEDED else Result.REFUSED
    return result, f"{code.name} (0x{code:02x})"
