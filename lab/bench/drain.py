"""One run of the bridge that finds a full spool: how soon, how fast and in how much memory."""

import subprocess
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lab.bench.contenders import BRIDGE, Place
from lab.bench.load import distinct
from lab.bench.process import starting
from lab.rig.counter import Counter, counter
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto
from lab.rig.servers import free_ports
from lab.rig.spools import waiting
from lab.rig.usage import Usage, resident

_LOOK_EVERY = 0.01  # seconds: what the times are exact to
_QUARTERS = 4
_BYTES_PER_MB = 1_048_576


@dataclass(frozen=True)
class Drain:
    """What one run measured.

    ``first`` is seconds from the start of the process to the first delivery; ``rates`` are
    messages a second in each quarter, and ``resident`` MB at its end; ``peak`` is MB resident at
    most. ``file`` and ``wal`` are the MB of the spool's files when all had been deleted from it.
    """

    first: float
    rates: tuple[float, ...]
    resident: tuple[float, ...]
    peak: float
    file: float
    wal: float
    lost: int


@dataclass(frozen=True)
class _Mark:
    """How many had been delivered at a time, and the MB resident then."""

    at: float
    delivered: int
    resident: float


def drain(broker: Mosquitto, folder: Path, total: int, patience: float = 10.0) -> Drain:
    """Start the bridge on spool.db in ``folder``, which has ``total`` messages; see them out.

    After ``patience`` seconds without a delivery, or a deletion, none is expected any more.

    Raises:
        RigError: the bridge ended by itself, or went no further.

    """
    (port,) = free_ports(1)
    spool = folder / "spool.db"
    command = BRIDGE.command(Place(broker, folder, port), folder)
    with counter(broker) as counting:
        started = time.monotonic()
        with starting(command, folder) as process:
            wanted = [1, *(total * part // _QUARTERS for part in range(1, _QUARTERS + 1))]
            marks = [_reached(counting, process, number, patience) for number in wanted]
            _wait_until_empty(spool, patience)
            file, wal = _megabytes(spool), _megabytes(Path(f"{spool}-wal"))
            usage = Usage(process.pid)
            usage.look()
    rates = [
        (end.delivered - begin.delivered) / (end.at - begin.at) for begin, end in pairwise(marks)
    ]
    if not any(rates):
        raise RigError(f"{total:,} messages are too few: all were delivered at once")
    return Drain(
        first=marks[0].at - started,
        rates=tuple(rates),
        resident=tuple(mark.resident for mark in marks[1:]),
        peak=usage.peak,
        file=file,
        wal=wal,
        lost=total - distinct(counting.messages()),
    )


def _reached(
    counting: Counter, process: subprocess.Popen[bytes], wanted: int, patience: float
) -> _Mark:
    """Wait until ``wanted`` messages have been delivered, and for one look at least."""
    quiet_since = time.monotonic()
    while True:
        time.sleep(_LOOK_EVERY)
        before = counting.total
        counting.look()
        now = time.monotonic()
        if counting.total >= wanted:
            return _Mark(now, counting.total, resident(process.pid))
        if counting.total > before:
            quiet_since = now
        if process.poll() is not None or now - quiet_since > patience:
            raise RigError(f"the bridge delivered {counting.total:,} of its spool, and no more")


def _wait_until_empty(spool: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while waiting(spool):
        if time.monotonic() > deadline:
            raise RigError("the bridge did not delete what it had delivered")
        time.sleep(_LOOK_EVERY)


def _megabytes(path: Path) -> float:
    return path.stat().st_size / _BYTES_PER_MB
