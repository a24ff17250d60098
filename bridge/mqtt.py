"""Builds MQTT 5 clients on the AWS SDK, which no other module imports.

The SDK calls back on threads of its own. What runs there must not raise: nobody would see it.
"""

import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from awscrt import io, mqtt5
from awscrt.exceptions import AwsCrtError
from awsiot import mqtt5_client_builder

from bridge.config import Aws
from contract.errors import BridgeError

_KEEP_ALIVE = 30  # seconds: AWS IoT takes 30 to 1200
_PING_TIMEOUT = 10  # seconds; a dead connection is noticed after at most their sum
_ACK_TIMEOUT = 30  # seconds
_MIN_RECONNECT = 500  # milliseconds
_FIRST_ERROR = 0x80
"""MQTT 5 reason codes from here on are failures (MQTT 5.0, 2.4)."""

TIMEOUT = "AWS_ERROR_MQTT_TIMEOUT"
"""The reason when a publish got no PUBACK in time."""
STOPPED = "AWS_ERROR_MQTT5_USER_REQUESTED_STOP"
"""The reason when the client was stopped before the PUBACK came."""

Publishing = Future[mqtt5.PublishCompletionData]
"""A publish under way: done when its PUBACK has come, or when none will."""
Subscribing = Future[mqtt5.SubackPacket]
"""A subscription under way: done when its SUBACK has come, or when none will."""


class Failure(msgspec.Struct, frozen=True, gc=False):
    """Why the broker did not do what was asked.

    ``code`` is its MQTT 5 reason code. It is None where the broker gave none: the SDK failed by
    itself, or the answer could not be read. ``reason`` is the name of either.
    """

    reason: str
    code: int | None = None


def _nothing(*_: object) -> None:
    """Ignore what a client reports."""


@dataclass(frozen=True)
class Session:
    """What the broker says of the session when it lets a client in.

    ``kept`` tells whether it is an earlier one. The broker keeps it for ``expiry`` seconds after
    the connection ends, which may be less than was asked for.
    """

    kept: bool
    expiry: int


Acknowledge = Callable[[], None]
"""Sends the PUBACK of a message, from any thread. After its connection has ended it does nothing,
and the broker brings the message again."""


@dataclass(frozen=True)
class Callbacks:
    """What a client reports, on a thread of the SDK's.

    ``joined`` is told of the session just before ``connected``, ``failed`` and ``lost`` the
    reason: of an attempt to connect, and of a connection. The client tries again by itself.
    ``received`` is told topic and payload, and the SDK acknowledges the message when it returns. If
    there is ``entrusted``, it is told instead, and has to acknowledge.
    """

    connected: Callable[[], None] = _nothing
    joined: Callable[[Session], None] = _nothing
    failed: Callable[[str], None] = _nothing
    lost: Callable[[str], None] = _nothing
    stopped: Callable[[], None] = _nothing
    received: Callable[[str, bytes], None] = _nothing
    entrusted: Callable[[str, bytes, Acknowledge], None] | None = None


class Client:
    """A client of AWS IoT under one client ID, by mutual TLS.

    ``ack_timeout`` is in whole seconds: after it, a publish without a PUBACK ends with ``TIMEOUT``.
    With ``session_expiry``, in seconds, the broker is asked to keep the client's session for so
    long, and with it what comes for its subscriptions; also over restarts of the process.

    Raises:
        BridgeError: the certificate, key or CA cannot be used.

    """

    def __init__(
        self,
        aws: Aws,
        client_id: str,
        callbacks: Callbacks,
        ack_timeout: int = _ACK_TIMEOUT,
        session_expiry: int = 0,
    ) -> None:
        self._packet = mqtt5.PublishPacket(qos=mqtt5.QoS.AT_LEAST_ONCE)
        files = [aws.certificate, aws.private_key, *([aws.root_ca] if aws.root_ca else [])]
        for path in files:
            _require_readable(path)
        # An attempt and the pause before the next take half of max_backoff each, so that one is
        # made within max_backoff of the broker's return.
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
                ack_timeout_sec=ack_timeout,
                socket_options=_socket_options(half),
                connack_timeout_ms=half,
                min_reconnect_delay_ms=min(_MIN_RECONNECT, half),
                max_reconnect_delay_ms=half,
                cipher_pref=_cipher_preference(),
                extended_validation_and_flow_control_options=_flow_control(aws),
                **_session(session_expiry),
                **self._sdk_callbacks(callbacks),
            )
        except (AwsCrtError, RuntimeError) as error:  # the SDK raises either
            named = ", ".join(map(str, files))
            raise BridgeError(
                f"cannot use {named}: not PEM, or key and certificate differ: {error}"
            ) from None

    def start(self) -> None:
        """Connect, and reconnect for ever."""
        self._client.start()

    def stop(self, *, farewell: bool = True) -> None:
        """End the client, and with it all that is under way; ``stopped`` is called afterwards.

        Without ``farewell`` the broker gets no DISCONNECT. The SDK would wait until the connection
        has taken it, which one that takes no bytes never does.
        """
        self._client.stop(mqtt5.DisconnectPacket() if farewell else None)

    def publish(self, topic: str, payload: bytes) -> Publishing:
        """Publish at QoS 1, for one thread at a time.

        Raises:
            Exception: of many kinds: whatever the SDK has against the message.

        """
        packet = self._packet  # one for all: the SDK copies it
        packet.topic, packet.payload = topic, payload
        publishing: Publishing = self._client.publish(packet)
        return publishing

    def subscribe(self, topics: Sequence[str]) -> Subscribing:
        """Subscribe to topic filters at QoS 1."""
        wanted = [mqtt5.Subscription(topic, mqtt5.QoS.AT_LEAST_ONCE) for topic in topics]
        subscribing: Subscribing = self._client.subscribe(mqtt5.SubscribePacket(wanted))
        return subscribing

    def _sdk_callbacks(self, callbacks: Callbacks) -> dict[str, object]:
        """Return the callbacks as the SDK wants them, by name."""

        def connected(data: mqtt5.LifecycleConnectSuccessData) -> None:
            granted = data.negotiated_settings
            callbacks.joined(Session(granted.rejoined_session, granted.session_expiry_interval_sec))
            callbacks.connected()

        def failed(data: mqtt5.LifecycleConnectFailureData) -> None:
            answer = data.connack_packet
            callbacks.failed(_name(answer.reason_code if answer else data.exception))

        def lost(data: mqtt5.LifecycleDisconnectData) -> None:
            farewell = data.disconnect_packet
            callbacks.lost(_name(farewell.reason_code if farewell else data.exception))

        def received(data: mqtt5.PublishReceivedData) -> None:
            if callbacks.entrusted is None:
                callbacks.received(data.publish_packet.topic, data.publish_packet.payload)
                return
            # First: if anything raised before, the SDK would acknowledge by itself.
            control = data.acquire_publish_acknowledgement_control()
            acknowledge = partial(self._acknowledge, control) if control else _nothing
            packet = data.publish_packet
            callbacks.entrusted(packet.topic, packet.payload, acknowledge)

        return {
            "on_lifecycle_connection_success": connected,
            "on_lifecycle_connection_failure": failed,
            "on_lifecycle_disconnection": lost,
            "on_lifecycle_stopped": lambda _data: callbacks.stopped(),
            "on_publish_received": received,
        }

    def _acknowledge(self, control: mqtt5.PublishAcknowledgementControlHandle) -> None:
        self._client.invoke_publish_acknowledgement(control)


def puback_failure(publishing: Publishing) -> Failure | None:
    """Return why a publish that has ended was not delivered, None if it was.

    The SDK's future ends normally when the PUBACK carries an error: only its code tells.
    """
    try:
        code = publishing.result().puback.reason_code
    except Exception as error:  # noqa: BLE001  # whatever the SDK gave it
        return Failure(_name(error))
    if code is None:
        return Failure("unknown reason code")
    return _refusal(code)


def suback_failure(subscribing: Subscribing) -> Failure | None:
    """Return why a subscription that has ended was not granted, None if all of it was."""
    try:
        codes = subscribing.result().reason_codes
    except Exception as error:  # noqa: BLE001  # whatever the SDK gave it
        return Failure(_name(error))
    return next(filter(None, map(_refusal, codes)), None)


def keep_thread_state() -> None:
    """Let the calling thread, the SDK's, keep its state in the interpreter.

    Python makes a state for each call from a thread that it did not start, and drops it after the
    call: that maps memory and unmaps it, which interrupts the event loop's core, for each PUBACK.
    One call of PyGILState_Ensure without a release keeps it (docs.python.org/3/c-api/init.html,
    "Non-Python created threads"). A connection has one thread for as long as it lives.
    """
    ctypes.pythonapi.PyGILState_Ensure()


def _session(expiry: int) -> dict[str, object]:
    """Return what makes the broker keep the session, and the client come back to it."""
    if not expiry:
        return {}
    return {
        "session_behavior": mqtt5.ClientSessionBehaviorType.REJOIN_ALWAYS,
        "session_expiry_interval_sec": expiry,
    }


def _require_readable(path: Path) -> None:
    if path.exists() and not path.is_file():  # a pipe would be read for ever
        raise BridgeError(f"{path}: not a file: name the one that 'lora-bridge enroll' wrote")
    try:
        path.read_bytes()
    except FileNotFoundError:
        raise BridgeError(f"{path}: no such file: see 'lora-bridge enroll --help'") from None
    except OSError as error:
        raise BridgeError(
            f"{path}: {error.strerror}: the user who runs lora-bridge must be able to read it"
        ) from None


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


def _refusal(code: "mqtt5.PubackReasonCode | mqtt5.SubackReasonCode") -> Failure | None:
    return Failure(f"{code.name} (0x{code:02x})", int(code)) if code >= _FIRST_ERROR else None


def _name(reason: object) -> str:
    """Return the SDK's name for a reason code or an error, or what there is in its place."""
    return str(getattr(reason, "name", reason))
