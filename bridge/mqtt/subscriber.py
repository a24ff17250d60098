"""Hears topics of a network server's broker, on the event loop.

It is on paho, not on the AWS SDK. The SDK sends no PUBACK as long as there is more to read, and
takes ever longer to queue each: a broker that holds a long queue sends it all, and gets its PUBACKs
at the end (measured with awscrt 0.36.1 and Mosquitto 2.0.11; docs/performance.md).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import get_ident
from typing import cast

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from bridge.config import Broker
from bridge.mqtt.options import KEEP_ALIVE, SEE_CONFIGURATION, password, require_readable, unusable
from bridge.mqtt.reading import Reading
from bridge.mqtt.told import Delivery, Failure, Session

_CONNECT_TIMEOUT = 5.0  # seconds
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0  # seconds between attempts: the broker is near
_MISC_EVERY = 1.0  # seconds
TAKEN_OVER = 0x8E
"""The reason code of a connection whose session another client has taken."""


@dataclass(frozen=True)
class Hearing:
    """What a subscriber reports, on the event loop.

    ``joined`` is told of the session, ``failed`` why there is no connection, with the broker's
    reason code if it gave one, ``lost`` the same of a connection that was there. ``subscribed`` is
    told of each filter why it was not granted, or None.
    """

    joined: Callable[[Session], None]
    failed: Callable[[Failure], None]
    lost: Callable[[Failure], None]
    subscribed: Callable[[str, Failure | None], None]
    received: Callable[[Delivery], None]


class Subscriber:
    """A client with a session that the broker keeps for ``expiry`` seconds after a connection.

    It connects from ``start`` on, again and again, until ``stop``.

    Raises:
        BridgeError: the password, certificate, key or CA cannot be used.

    """

    def __init__(self, broker: Broker, client_id: str, expiry: int, hearing: Hearing) -> None:
        for path in (broker.ca, broker.certificate, broker.private_key, broker.password_file):
            if path is not None:
                require_readable(path, SEE_CONFIGURATION)
        self._loop = asyncio.get_running_loop()
        self._broker = broker
        self._expiry = expiry
        self._hearing = hearing
        self._connection = 0  # which it is: what is of another one is not acknowledged
        self._thread = get_ident()
        self._joined = False
        self._wanted: dict[int, str] = {}  # filters, by packet ID
        self._over = asyncio.Event()  # the connection
        self._task: asyncio.Task[None] | None = None
        self._client = self._made(client_id)
        self._reading = Reading(self._client)

    def start(self) -> None:
        """Connect, and reconnect for ever."""
        self._task = self._loop.create_task(self._run())

    async def stop(self) -> None:
        """Part from the broker, which keeps the session."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._client.socket() is not None:
            self._over.set()  # nobody is told
            self._client.disconnect()
            self._client.loop_write()
        self._close()

    def hold(self) -> None:
        """Read nothing until ``release``; the broker has to wait."""
        self._reading.hold()

    def release(self) -> None:
        """Go on."""
        self._reading.release()

    def subscribe(self, topic: str, qos: int, *, retained: bool = False) -> None:
        """Subscribe to a topic filter.

        What is retained comes each time, or else once for each session.
        """
        which = (
            SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE
            if retained
            else SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
        )
        options = SubscribeOptions(qos, retainHandling=which)
        _result, packet_id = self._client.subscribe(topic, options=options)
        if packet_id is not None:
            self._wanted[packet_id] = topic

    async def _run(self) -> None:
        """Connect, stay as long as that holds, and begin again after a pause."""
        pause = _FIRST_PAUSE
        while True:
            await self._reading.wait()  # while it is held, no answer would be read
            if await self._connected():
                await self._stay()
                self._close()
            pause = _FIRST_PAUSE if self._joined else min(2 * pause, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _connected(self) -> bool:
        """Connect; return whether that went well so far."""
        self._over.clear()
        self._joined = False
        self._connection += 1
        try:
            await asyncio.to_thread(self._client.reconnect)
        except (OSError, ValueError) as error:  # a name that cannot be one is a ValueError
            self._hearing.failed(Failure(str(error) or type(error).__name__))
            return False
        self._reading.begin()
        return self._client.socket() is not None

    async def _stay(self) -> None:
        """Keep the connection alive until it ends."""
        deadline = self._loop.time() + _CONNECT_TIMEOUT
        while not self._over.is_set():
            if not self._joined and self._loop.time() > deadline:
                self._hearing.failed(Failure("no answer to CONNECT"))
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), _MISC_EVERY)
            self._client.loop_misc()

    def _close(self) -> None:
        """Close a connection that is there still. paho does it when it finds that it has ended."""
        if (sock := self._client.socket()) is not None:
            self._joined = False  # nobody is told
            with suppress(OSError):
                cast("socket.socket", sock).shutdown(socket.SHUT_RDWR)
            self._client.loop_read()

    def _to_write(self, *_: object) -> None:
        """Write. CONNECT is asked for on the thread that connects."""
        if get_ident() == self._thread:
            self._write()
        else:
            self._loop.call_soon_threadsafe(self._write)

    def _write(self) -> None:
        self._client.loop_write()
        sock = self._client.socket()
        if sock is not None and self._client.want_write():
            self._loop.add_writer(sock, self._write)
        elif sock is not None:
            self._loop.remove_writer(sock)

    def _on_close(self, _client: object, _data: object, sock: "paho.SocketLike") -> None:
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)

    def _on_connect(
        self,
        _client: object,
        _data: object,
        flags: paho.ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._hearing.failed(_failure(code))
            return
        self._joined = True
        granted = getattr(properties, "SessionExpiryInterval", self._expiry)
        self._hearing.joined(Session(flags.session_present, granted))

    def _on_disconnect(
        self,
        _client: object,
        _data: object,
        _flags: object,
        code: ReasonCode,
        _properties: object,
    ) -> None:
        if self._joined and not self._over.is_set():
            self._hearing.lost(_failure(code))
        self._over.set()

    def _on_subscribe(
        self,
        _client: object,
        _data: object,
        packet_id: int,
        codes: list[ReasonCode],
        _properties: object,
    ) -> None:
        refused = next((_failure(code) for code in codes if code.is_failure), None)
        topic = self._wanted.pop(packet_id, None)
        if topic is not None:
            self._hearing.subscribed(topic, refused)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self._reading.heard += 1
        owed = partial(self._acknowledge, self._connection, message.mid) if message.qos else None
        self._hearing.received(
            Delivery(message.topic, bytes(message.payload), message.retain, owed)
        )

    def _acknowledge(self, connection: int, packet_id: int) -> None:
        if connection == self._connection:
            self._client.ack(packet_id, 1)

    def _made(self, client_id: str) -> paho.Client:
        broker = self._broker
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if broker.username is not None:
            client.username_pw_set(broker.username, password(broker))
        if broker.secure:
            client.tls_set_context(_tls(broker))
        client.connect_timeout = _CONNECT_TIMEOUT
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_close = self._on_close
        client.on_socket_register_write = self._to_write
        wishes = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        wishes.SessionExpiryInterval = self._expiry
        client.connect_async(
            broker.host, broker.port, KEEP_ALIVE, clean_start=False, properties=wishes
        )
        return client


def _tls(broker: Broker) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=broker.ca)
        if broker.certificate and broker.private_key:
            context.load_cert_chain(broker.certificate, broker.private_key)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise unusable((broker.ca, broker.certificate, broker.private_key), error) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _failure(code: ReasonCode) -> Failure:
    return Failure(f"{code.getName()} (0x{code.value:02x})", code.value)
