"""The bridge in a process of its own, which notes when each frame is where on its way.

The daemon is wired by its own code, of parts that note the time and otherwise do as always:
three look-ups of the clock for a frame or an event. Nothing is written before it has stopped.
"""

import argparse
import asyncio
import logging
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

import msgspec

from bridge import service, wiring
from bridge.aws_iot import connection
from bridge.aws_iot.window import Window
from bridge.config import load
from bridge.messages.message import Message
from bridge.messages.rejection import BrokenFrame
from bridge.messages.timestamper import Placement
from bridge.sources.chirpstack import server
from bridge.sources.chirpstack.parsing import Parser, Read
from bridge.sources.semtech import listener
from bridge.sources.semtech.framing import Framer
from bridge.spool.batch import Batch, Receipt
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Waiting
from lab.bench.contenders import BRIDGE, Contender, Place
from lab.bench.load import numbered_frames
from lab.bench.process import running
from lab.bench.writer import Writes, connect, paced, write
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto
from lab.rig.servers import free_ports

_STOP_LIMIT = 60.0  # seconds


class Times(msgspec.Struct):
    """By the monotonic clock, which all processes share, for each frame in order of receipt."""

    read: list[float] = msgspec.field(default_factory=list)
    """When the bytes that completed the frame had been read; of an event, on the SDK's thread."""
    committed: list[float] = msgspec.field(default_factory=list)
    """When the event loop learned that it was on disk."""
    acknowledged: list[float] = msgspec.field(default_factory=list)
    """When its PUBACK had come, on the SDK's thread."""
    written: list[float] = msgspec.field(default_factory=list)
    """When the network server began to write or to publish it."""


def observe(broker: Mosquitto, folder: Path, rate: float, seconds: float) -> Times:
    """Write ``rate`` frames a second to a bridge whose spool is below ``folder``.

    Raises:
        RigError: it did not start, or not every frame got as far as its PUBACK.

    """
    frames = numbered_frames(int(rate * seconds))
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Place(broker, Path(name), port)
        send = partial(_write, port, paced(frames, rate))
        return observe_bridge(BRIDGE, place, send, len(frames))


def observe_bridge(
    bridge: Contender, place: Place, send: Callable[[], list[float]], sent: int
) -> Times:
    """Run a bridge at a place until ``send`` has sent so many frames, and returned when each was.

    Raises:
        RigError: it did not start, or not every frame got as far as its PUBACK.

    """
    noted = place.folder / "times"
    with running(_command(bridge, place, noted), bridge, place.folder) as process:
        written = send()
        _stop(process, place.folder / "log")
    times = msgspec.json.decode(noted.read_bytes(), type=Times)
    times.written = written
    for stage in (times.read, times.committed, times.acknowledged):
        if len(stage) != sent:
            raise RigError(f"of {sent} frames, {len(stage)} were observed")
    return times


def milliseconds(begun: list[float], ended: list[float]) -> list[float]:
    """Return how long each took."""
    return [(end - begin) * 1000 for begin, end in zip(begun, ended, strict=True)]


def _write(port: int, writes: Writes) -> list[float]:
    with connect(port) as connection:
        return write(connection, writes)


def _stop(process: subprocess.Popen[bytes], log: Path) -> None:
    """End the bridge as the system does, with all that it was sent published."""
    process.send_signal(signal.SIGTERM)
    try:
        status = process.wait(_STOP_LIMIT)
    except subprocess.TimeoutExpired:
        status = None
    if status != 0:
        raise RigError(f"the observed bridge did not stop:\n{log.read_text()[-2000:]}")


def _command(bridge: Contender, place: Place, noted: Path) -> list[str]:
    *_, config = bridge.command(place, noted)
    return [
        sys.executable,
        "-m",
        "lab.bench.instrumented_bridge",
        "--config",
        config,
        "--times",
        str(noted),
    ]


def main() -> None:
    """Run the daemon until SIGTERM; then write the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--times", type=Path, required=True, help="file to write at the end")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    times = Times()
    acknowledged: dict[int, float] = {}  # by id: PUBACKs may come in any order
    last_read = 0.0

    class ObservedFramer(Framer):
        def feed(self, data: bytes) -> list[bytes | BrokenFrame]:
            nonlocal last_read
            last_read = time.monotonic()
            return super().feed(data)

    class ObservedParser(Parser):
        def read(self, topic: str, frame: bytes, *, retained: bool = False) -> Read:
            nonlocal last_read
            last_read = time.monotonic()
            return super().read(topic, frame, retained=retained)

    class ObservedSpooler(Spooler):
        def keep(
            self, message: Message, placement: Placement, receipt: Receipt | None = None
        ) -> None:
            times.read.append(last_read)
            super().keep(message, placement, receipt)

    class ObservedSpool(Spool):
        def commit(self, batch: Batch) -> bool:
            mended = super().commit(batch)
            times.committed += [time.monotonic()] * len(batch.arrived)
            return mended

    class ObservedWindow(Window):
        def answered(self, waiting: Waiting) -> None:
            acknowledged[waiting.id] = time.monotonic()
            super().answered(waiting)

    with (
        patch.object(listener, "Framer", ObservedFramer),
        patch.object(server, "Parser", ObservedParser),
        patch.object(wiring, "Spooler", ObservedSpooler),
        patch.object(service, "Spool", ObservedSpool),
        patch.object(connection, "Window", ObservedWindow),
    ):
        asyncio.run(service.serve(load(options.config)))
    times.acknowledged = [acknowledged[number] for number in sorted(acknowledged)]
    options.times.write_bytes(msgspec.json.encode(times))


if __name__ == "__main__":
    main()
