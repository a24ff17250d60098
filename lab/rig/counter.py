"""A subscriber that counts what the broker delivers, at the least cost to what is measured.

It speaks just enough MQTT 3.1.1 at QoS 0 to subscribe, takes all that has come since the last
look in few reads, and only cuts it into packets: a library would call back for each message, and
take as much of the machine as a contender does. What the messages say is looked at afterwards.
It costs the broker one more write for each message, the same for every contender.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto

TOPICS = "lora/#"
"""All that contenders publish is below ``lora/``."""
_CLIENT_ID = b"counter"
_RECEIVE_BUFFER = 4_194_304  # bytes: some 0.3 s of messages, so that the broker need not wait
_READ = 1_048_576  # bytes
_PUBLISH = 3  # packet type (MQTT 3.1.1, 2.2.1)
_ANSWER_LIMIT = 10.0  # seconds


class Counter:
    """What has been delivered so far. Call ``look`` every few milliseconds."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()
        self._messages: list[bytes] = []
        self._taken = 0
        self.first_delivery = 0.0
        """When ``look`` first found something, by the monotonic clock."""
        self.last_delivery = 0.0
        """When it last found something new."""

    @property
    def total(self) -> int:
        """How many messages were delivered, repeated ones included."""
        return self._taken + len(self._messages)

    def look(self) -> None:
        """Take what has come since the last look."""
        before = self.total
        try:
            while data := self._connection.recv(_READ):
                self._buffer += data
                self._cut()
        except BlockingIOError:
            if self.total > before:
                self.last_delivery = time.monotonic()
                self.first_delivery = self.first_delivery or self.last_delivery
            return
        raise RigError("the broker closed the counter's connection")

    def take(self) -> Iterator[tuple[str, bytes]]:
        """Yield what ``messages`` does, and hold none of it any longer."""
        yield from self.messages()
        self._taken += len(self._messages)
        self._messages.clear()

    def messages(self) -> Iterator[tuple[str, bytes]]:
        """Yield topic and payload of each delivery, in order, but for those taken."""
        for body in self._messages:
            end = 2 + int.from_bytes(body[:2], "big")
            yield body[2:end].decode(), body[end:]

    def _cut(self) -> None:
        """Move the whole packets of the buffer to the messages."""
        buffer, start = self._buffer, 0
        while (packet := _body(buffer, start)) is not None:
            body, end = packet
            if end > len(buffer):
                break
            if buffer[start] >> 4 == _PUBLISH:
                self._messages.append(bytes(buffer[body:end]))
            start = end
        del buffer[:start]


@contextmanager
def counter(broker: Mosquitto) -> Iterator[Counter]:
    """Subscribe to all that contenders publish, until the context ends."""
    with socket.create_connection(("127.0.0.1", broker.plain_port), _ANSWER_LIMIT) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        # CONNECT with a clean session and no keep-alive; its CONNACK has 4 bytes (3.1, 3.2).
        _ask(connection, 0x10, b"\0\4MQTT\4\2\0\0" + _text(_CLIENT_ID), 4)
        # SUBSCRIBE, packet 1, at QoS 0; its SUBACK has 5 bytes (3.8, 3.9).
        _ask(connection, 0x82, b"\0\1" + _text(TOPICS.encode()) + b"\0", 5)
        connection.settimeout(0)  # from here on, reading never waits
        yield Counter(connection)


def _ask(connection: socket.socket, kind: int, body: bytes, answer: int) -> None:
    connection.sendall(bytes([kind, len(body)]) + body)
    said = connection.recv(answer, socket.MSG_WAITALL)
    if len(said) < answer or said[-1] != 0:
        raise RigError(f"the broker answered the counter with {said.hex()}")


def _text(text: bytes) -> bytes:
    return len(text).to_bytes(2, "big") + text


def _body(buffer: bytearray, start: int) -> tuple[int, int] | None:
    """Return where the body of the packet at ``start`` begins and ends; None before it is known."""
    length = shift = 0
    for position in range(start + 1, min(start + 5, len(buffer))):
        length |= (buffer[position] & 0x7F) << shift
        shift += 7
        if buffer[position] < 0x80:  # noqa: PLR2004  # the last digit (MQTT 3.1.1, 2.2.3)
            return position + 1, position + 1 + length
    return None
