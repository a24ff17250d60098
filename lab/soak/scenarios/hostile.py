"""A thousand connections that are no network servers, around one that is."""

import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from lab.rig.running_bridge import running_bridge
from lab.rig.spools import committed, waiting
from lab.rig.usage import descriptors, resident
from lab.soak.frames import frame
from lab.soak.result import Result, result
from lab.soak.sender import Sender
from lab.soak.site import site

_RATE = 100  # frames a second
_SETTLE = 1.0  # seconds
_DRAIN_LIMIT = 60.0  # seconds
_MAX_GROWTH = 30.0  # MB
_MAX_DESCRIPTORS = 150  # a hundred connections and what the bridge itself has open
_WRITES = (b"\xff\x00junk\x00" * 5000, frame(0)[:100], b"", b"x" * 70_000)
"""Garbage, half a frame, nothing, and the beginning of a frame that is too long."""


def hostile(
    folder: Path, say: Callable[[str], None], *, connections: int, seconds: float
) -> Result:
    """Open the connections, one byte a second on each, beside a network server and a late one."""
    with site(folder) as place, running_bridge(place.config) as bridge:
        pid = bridge.process.pid
        bridge.says("ready: ")
        with ExitStack() as stack:
            sender = stack.enter_context(Sender(place.port, _RATE, frame))
            place.play(_SETTLE)
            before = resident(pid)
            crowd = [
                stack.enter_context(socket.create_connection(("127.0.0.1", place.port)))
                for _ in range(connections)
            ]
            for number, each in enumerate(crowd):
                each.setblocking(False)  # noqa: FBT003  # the standard library's
                _write(each, _WRITES[number % len(_WRITES)])
            say(f"{connections} connections")
            late = stack.enter_context(Sender(place.port, _RATE, _late_frame))
            for second in range(round(seconds)):
                for each in crowd:
                    _write(each, b"x")
                place.play(1)
                say(f"{second + 1} s")
            after, open_files = resident(pid), descriptors(pid)
        place.wait_until(lambda: waiting(place.spool) == 0, _DRAIN_LIMIT, "the spool to drain")
        sent = sender.sent_at.keys() | {_LATE + number for number in late.sent_at}
        arrived = place.arrived()
        return result(
            sent=sent,
            committed=committed(place.spool),
            arrived=arrived,
            remarks=f"{connections} connections, {open_files} files open, "
            f"{before:.0f} → {after:.0f} MB",
            promises=[
                (arrived.numbers >= sent, "good frames were lost"),
                (arrived.out_of_order == 0, "a device's frames came out of order"),
                (after - before < _MAX_GROWTH, f"memory grew by {after - before:.0f} MB"),
                (open_files <= _MAX_DESCRIPTORS, f"{open_files} files open"),
            ],
        )


_LATE = 1_000_000  # added to the numbers of the late network server's frames


def _late_frame(number: int) -> bytes:
    return frame(_LATE + number, "a1")


def _write(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # the bridge has closed it, or reads no more of it now
        connection.send(data)
