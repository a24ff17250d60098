"""Writes frames to a contender's socket, in one burst or each at its time."""

import socket
import time
from collections.abc import Sequence

Writes = list[tuple[float, bytes]]
"""What to write, and when: seconds after the first write."""


def paced(frames: Sequence[bytes], rate: float) -> Writes:
    """Return each frame by itself, ``rate`` a second."""
    return [(number / rate, frame) for number, frame in enumerate(frames)]


def connect(port: int) -> socket.socket:
    """Connect to a contender, with no Nagle delay between frames."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def write(connection: socket.socket, writes: Writes) -> list[float]:
    """Write all of it; return when each write began, by the monotonic clock."""
    written_at = []
    started = time.monotonic()
    for due, data in writes:
        time.sleep(max(0.0, started + due - time.monotonic()))
        written_at.append(time.monotonic())
        connection.sendall(data)
    return written_at
