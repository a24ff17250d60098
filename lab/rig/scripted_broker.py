"""A broker that answers as the test likes: with PUBACKs, errors, or not at all.

AWS IoT withholds PUBACKs when it throttles, and refuses some publishes. It delivers messages again
under other packet ids, without a DUP flag, and in any order. No real broker will do so on demand.
"""

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

# Packet types (MQTT 5.0, 2.1.2).
_CONNECT, _PUBLISH, _PUBACK, _SUBSCRIBE, _PINGREQ = 1, 3, 4, 8, 12
CONNACK = bytes([0x20, 3, 0, 0, 0])
_PINGRESP = bytes([0xD0, 0])
_TICK = 0.005  # seconds
HANG_UP = -1  # the connection ends at that publish


@dataclass(frozen=True, slots=True)
class Published:
    """A PUBLISH that came over a connection, counted from 0, and the reason code it got.

    ``at`` is in seconds of the monotonic clock.
    """

    connection: int
    at: float
    topic: str
    payload: bytes
    code: int | None


@dataclass
class ScriptedBroker:
    """Speaks just enough MQTT 5.

    ``answer`` gets the connection, counted from 0, and the payload of a PUBLISH, and returns the
    reason code of the PUBACK, None for no PUBACK, or HANG_UP. ``published`` has all it was asked
    before.
    A connection among ``deaf`` is not read once it is made. ``latest`` is for how many seconds,
    at most, it did not get to look at what had come. ``subscribers`` are the connections that have
    subscribed, to whatever it was, and ``acknowledged`` has connection and packet id of each PUBACK
    that came. ``connack`` returns what a connection is told first.
    """

    folder: Path
    answer: Callable[[int, bytes], int | None]
    published: list[Published] = field(default_factory=list)
    connections: int = 0
    deaf: frozenset[int] = frozenset()
    subscribers: dict[int, asyncio.StreamWriter] = field(default_factory=dict)
    acknowledged: set[tuple[int, int]] = field(default_factory=set)
    connack: Callable[[int], bytes] = lambda _connection: CONNACK
    _end: asyncio.Event = field(default_factory=asyncio.Event)
    latest: float = 0.0
    _loop: asyncio.AbstractEventLoop | None = None
    _packet_id: int = 0

    def deliver(self, connection: int, topic: str, payload: bytes) -> int:
        """Publish to a subscriber at QoS 1, from another thread; return the packet id.

        No message is known again: the same one has another packet id, and no DUP flag.
        """
        self._packet_id = self._packet_id % 65_535 + 1
        packet = _publish(topic, self._packet_id, payload)
        self._with(connection, lambda writer: writer.write(packet))
        return self._packet_id

    def toss(self, connection: int, topic: str, payload: bytes) -> None:
        """Publish to a subscriber at QoS 0, from another thread."""
        packet = _publish(topic, None, payload)
        self._with(connection, lambda writer: writer.write(packet))

    def hang_up(self, connection: int) -> None:
        """End the connection of a subscriber, from another thread."""
        self._with(connection, asyncio.StreamWriter.close)

    def _with(self, connection: int, call: Callable[[asyncio.StreamWriter], None]) -> None:
        def do() -> None:
            writer = self.subscribers.get(connection)
            if writer is not None:
                call(writer)

        if self._loop is not None:
            self._loop.call_soon_threadsafe(do)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen with the certificates in ``folder``; yields the port."""
        self._loop = asyncio.get_running_loop()
        context = ssl.create_default_context(
            ssl.Purpose.CLIENT_AUTH, cafile=str(self.folder / "ca.pem")
        )
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        context.verify_mode = ssl.CERT_REQUIRED
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        watch = asyncio.create_task(self._watch())
        async with server:
            yield int(server.sockets[0].getsockname()[1])
        watch.cancel()
        self._end.set()

    @contextmanager
    def in_thread(self) -> Iterator[int]:
        """Listen as ``listening`` does, from a thread of its own."""
        ports: SimpleQueue[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = SimpleQueue()

        async def serve() -> None:
            end = asyncio.Event()
            async with self.listening() as port:
                ports.put((port, asyncio.get_running_loop(), end))
                await end.wait()

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        port, loop, end = ports.get()
        try:
            yield port
        finally:
            loop.call_soon_threadsafe(end.set)
            thread.join()

    async def _watch(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(_TICK)
            self.latest = max(self.latest, time.monotonic() - began - _TICK)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = self.connections
        self.connections += 1
        try:
            while not (self._end.is_set() or writer.is_closing()):
                packet = await _packet(reader)
                if packet is None:
                    break
                await self._take(connection, *packet, writer)
        finally:
            self.subscribers.pop(connection, None)
            writer.close()

    async def _take(
        self, connection: int, kind: int, body: bytes, writer: asyncio.StreamWriter
    ) -> None:
        if kind == _CONNECT:
            writer.write(self.connack(connection))
            if connection in self.deaf:
                await self._end.wait()
        elif kind == _PINGREQ:
            writer.write(_PINGRESP)
        elif kind == _SUBSCRIBE:
            self.subscribers[connection] = writer
            # SUBACK to one topic filter: no properties, granted at QoS 1 (3.9).
            writer.write(bytes([0x90, 4]) + body[:2] + bytes([0, 1]))
        elif kind == _PUBACK:
            self.acknowledged.add((connection, int.from_bytes(body[:2], "big")))
        elif kind == _PUBLISH:
            topic_end = 2 + int.from_bytes(body[:2], "big")
            payload = body[topic_end + 3 :]
            code = self.answer(connection, payload)
            topic = body[2:topic_end].decode()
            self.published.append(Published(connection, time.monotonic(), topic, payload, code))
            if code == HANG_UP:
                writer.close()
            elif code is not None:
                writer.write(bytes([0x40, 3]) + body[topic_end : topic_end + 2] + bytes([code]))


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes] | None:
    """Read one packet: its type, and what follows its length; None at the end."""
    try:
        (first,) = await reader.readexactly(1)
        length = shift = 0
        while True:
            (digit,) = await reader.readexactly(1)
            length |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:  # noqa: PLR2004  # the last digit of the length (MQTT 5.0, 1.5.5)
                return first >> 4, await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError):
        return None


def _publish(topic: str, packet_id: int | None, payload: bytes) -> bytes:
    """Return a PUBLISH without a DUP flag or properties (MQTT 5.0, 3.3).

    It is at QoS 1, or at QoS 0 where it has no packet id.
    """
    name = topic.encode()
    packet = b"" if packet_id is None else packet_id.to_bytes(2, "big")
    body = len(name).to_bytes(2, "big") + name + packet + b"\0" + payload
    digits, length = bytearray(), len(body)
    while length > 0x7F:  # noqa: PLR2004  # seven bits in a digit (1.5.5)
        digits.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([0x30 if packet_id is None else 0x32, *digits, length]) + body
