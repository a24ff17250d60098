"""One run of one contender: what of all that it is sent is delivered, how fast, at what cost."""

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab.bench.contenders import Contender, Place
from lab.bench.load import distinct
from lab.bench.process import running
from lab.bench.writer import Writes, connect, paced, write
from lab.rig.counter import Counter, counter
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto
from lab.rig.servers import free_ports
from lab.rig.usage import Usage

_QUIET = 5.0  # seconds without a delivery after which nothing more is expected
_LOOK_EVERY = 0.01  # seconds: what the times are exact to
_LOOKS_AT_MEMORY = 10  # looks at deliveries for one at memory
_EACH = 100_000  # deliveries that CPU time is given for


@dataclass(frozen=True)
class Result:
    """What one run measured.

    ``seconds`` are from the first write to the last delivery, ``cpu`` those of CPU, user and
    system, that the contender's processes used since the first write, ``peak`` MB resident at
    most. ``delivered`` are different uplinks.
    """

    sent: int
    delivered: int
    seconds: float
    cpu: float
    peak: float

    @property
    def rate(self) -> float:
        """Uplinks delivered a second."""
        return self.delivered / self.seconds if self.seconds else 0.0

    @property
    def lost(self) -> int:
        """Uplinks sent and never delivered."""
        return self.sent - self.delivered

    @property
    def cpu_each(self) -> float:
        """CPU seconds for 100,000 deliveries; infinite without any."""
        return self.cpu * _EACH / self.delivered if self.delivered else float("inf")


def measure(
    contender: Contender,
    broker: Mosquitto,
    folder: Path,
    frames: list[bytes],
    rate: float | None = None,
) -> Result:
    """Start the contender with its files in the empty ``folder``, send it the frames, measure.

    ``rate`` is in frames a second, each written by itself; None is one burst, as fast as the
    socket takes it. Programs that do not read the socket have a pace of their own.

    Raises:
        RigError: it did not start, or ended by itself.

    """
    (port,) = free_ports(1)
    path = folder / "frames"
    path.write_bytes(b"".join(frames))
    writes = _writes(frames, rate) if contender.from_socket else []
    command = contender.command(Place(broker, folder, port), path)
    run = running(command, contender, folder)
    return measure_run(run, broker, partial(_send, port, writes), len(frames))


def measure_run(
    run: AbstractContextManager[subprocess.Popen[bytes]],
    broker: Mosquitto,
    send: Callable[[], object],
    sent: int,
) -> Result:
    """Measure what ``run`` starts, while ``send`` sends it so many uplinks on a thread of its own.

    Raises:
        RigError: it did not start, or ended by itself.

    """
    with ThreadPoolExecutor(1) as sender, run as process, counter(broker) as counting:
        usage = Usage(process.pid)
        before = usage.cpu()
        started = time.monotonic()
        sending = sender.submit(send)
        wait(counting, usage, process, sent)
        cpu = usage.cpu() - before
    sending.result()
    seconds = counting.last_delivery - started if counting.total else 0.0
    return Result(sent, distinct(counting.messages()), seconds, cpu, usage.peak)


def _writes(frames: list[bytes], rate: float | None) -> Writes:
    return [(0.0, b"".join(frames))] if rate is None else paced(frames, rate)


def _send(port: int, writes: Writes) -> None:
    """Connect and write, and stay connected as a network server does."""
    with suppress(OSError), connect(port) as connection:
        write(connection, writes)
        connection.recv(1)  # until the contender is ended


def wait(
    counting: Counter,
    usage: Usage,
    process: subprocess.Popen[bytes],
    sent: int,
    until_first: float = _QUIET,
) -> None:
    """Wait until all has been delivered, or nothing more comes; the first may take longer.

    Raises:
        RigError: the contender ended by itself.

    """
    looks = 0
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < (_QUIET if counting.total else until_first):
        time.sleep(_LOOK_EVERY)
        before = counting.total
        counting.look()
        if counting.total > before:
            quiet_since = time.monotonic()
            if counting.total >= sent and distinct(counting.messages()) >= sent:
                break
        if looks % _LOOKS_AT_MEMORY == 0:
            usage.look()
        looks += 1
        if process.poll() is not None:
            raise RigError(f"{process.args!r} ended with status {process.returncode}")
    usage.look()
