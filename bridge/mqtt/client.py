"""An MQTT 5 client of the AWS SDK, and what its broker answers.

The SDK calls back on threads of its own. What runs there must not raise: nobody would see it.
"""

import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from awscrt import mqtt5

from bridge.mqtt.told import Delivery, Failure, Session

_FIRST_ERROR = 0x80
"""MQTT 5 reason codes from here on are failures (MQTT 5.0, 2.4)."""

_NO_MATCHING_SUBSCRIBERS = 0x10

TIMEOUT = "AWS_ERROR_MQTT_TIMEOUT"
"""The reason when a publish got no PUBACK in time."""
STOPPED = "AWS_ERROR_MQTT5_USER_REQUESTED_STOP"
"""The reason when the client was stopped before the PUBACK came."""

Publishing = Future[mqtt5.PublishCompletionData]
"""A publish under way: done when its PUBACK has come, or when none will."""
Subscribing = Future[mqtt5.SubackPacket]
"""A subscription under way: done when its SUBACK has come, or when none will."""


def _nothing(*_: object) -> None:
    """Ignore what a client reports."""


@dataclass(frozen=True)
class Callbacks:
    """What a client reports, on a thread of the SDK's.

    ``joined`` is told of the session just before ``connected``, ``failed`` and ``lost`` the
    reason: of an attempt to connect, and of a connection. The client tries again by itself.
    ``received`` is told topic and payload, and the SDK acknowledges the message when it returns. If
    there is ``entrusted``, it is told instead, and has to see to the acknowledgement.
    """

    connected: Callable[[], None] = _nothing
    joined: Callable[[Session], None] = _nothing
    failed: Callable[[str], None] = _nothing
    lost: Callable[[str], None] = _nothing
    stopped: Callable[[], None] = _nothing
    received: Callable[[str, bytes], None] = _nothing
    entrusted: Callable[[Delivery], None] | None = None


SdkCallbacks = dict[str, object]
"""The callbacks of a client, by the names that the SDK's builder has for them."""


class Client:
    """A client under one client ID. ``make`` returns the SDK's, which calls what it is given."""

    def __init__(self, make: Callable[[SdkCallbacks], mqtt5.Client], callbacks: Callbacks) -> None:
        self._packet = mqtt5.PublishPacket(qos=mqtt5.QoS.AT_LEAST_ONCE)
        self._client = make(self._sdk_callbacks(callbacks))

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

    def _sdk_callbacks(self, callbacks: Callbacks) -> SdkCallbacks:
        """Return what the SDK calls: it reads what the SDK tells, and reports it."""

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
            acquire = data.acquire_publish_acknowledgement_control
            acknowledge = partial(self._acknowledge, acquire()) if acquire else None
            packet = data.publish_packet
            callbacks.entrusted(
                Delivery(packet.topic, packet.payload or b"", bool(packet.retain), acknowledge)
            )

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


def nobody_listens(publishing: Publishing) -> bool:
    """Say whether a publish that has ended found no subscriber (MQTT 5.0, 3.4.2.1)."""
    failed = puback_failure(publishing)
    return not failed and publishing.result().puback.reason_code == _NO_MATCHING_SUBSCRIBERS


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


def _refusal(code: "mqtt5.PubackReasonCode | mqtt5.SubackReasonCode") -> Failure | None:
    return Failure(f"{code.name} (0x{code:02x})", int(code)) if code >= _FIRST_ERROR else None


def _name(reason: object) -> str:
    """Return the SDK's name for a reason code or an error, or what there is in its place."""
    return str(getattr(reason, "name", reason))
