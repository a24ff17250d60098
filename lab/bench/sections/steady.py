"""Section: what steady rates cost, at which most networks run."""

import socket
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from lab.bench.contenders import BRIDGE, FRAMED, NODE_RED, SDK_STEADY, Contender, Place
from lab.bench.load import numbered_frames
from lab.bench.measure import Result
from lab.bench.process import running
from lab.bench.report import NOTHING, Setup, say, spread, table
from lab.bench.turns import TURNS, Runner, by_turns, parts
from lab.bench.writer import Writes, connect, paced, write
from lab.rig.mosquitto import Mosquitto
from lab.rig.servers import free_ports

RATES = (10, 100, 1000)
"""Frames, or events, a second."""
SECONDS = 15
"""For which each contender works at each rate, in all its turns."""
_STALLED = 10.0  # seconds for which a contender may take nothing
_CONTENDERS = (BRIDGE, SDK_STEADY, FRAMED, NODE_RED)
HEADER = (
    "contender",
    *(column for rate in RATES for column in (f"% of a core at {rate:,}/s", "ratio to Node-RED")),
    "lost",
    "peak RSS, MB",
)
"""Of the columns of ``costs``."""
_NOTES = """
CPU of the contender's processes, user and system, while frames come one by one, over the seconds
in which they come. All of them run, and each works for 3 s at a time while the others rest. Ratios:
of the same round, the median; lost: the most; other figures: median (min-max) of rounds; peak RSS
at the highest rate. The SDK alone parses nothing and keeps nothing on disk. The Node bridge and
Node-RED keep nothing on disk either."""

_Results = dict[tuple[Contender, int], list[Result]]
Start = Callable[[Contender, Path, int], AbstractContextManager[Runner]]
"""Runs a contender, with its files in an empty folder, and can send it uplinks at a rate."""


def section(setup: Setup) -> str:
    """Measure every contender at every rate, in rounds; return the table."""
    title = f"Steady rates, for {SECONDS} s each; rounds: {setup.repeats}"
    rows = costs(setup, _CONTENDERS, NODE_RED, partial(runner_of_frames, setup.broker))
    return table(title, HEADER, rows) + "\n" + _NOTES


@contextmanager
def runner_of_frames(
    broker: Mosquitto, contender: Contender, folder: Path, rate: int
) -> Iterator[Runner]:
    """Run a contender that a network server is connected to, until the context ends.

    Raises:
        RigError: it did not start.

    """
    frames = numbered_frames(rate * SECONDS)
    path = folder / "frames"
    path.write_bytes(b"".join(frames))
    (port,) = free_ports(1)
    command = contender.command(Place(broker, folder, port), path)
    with running(command, contender, folder) as process, connect(port) as server:
        server.settimeout(_STALLED)
        yield Runner(process, [partial(_send, server, paced(part, rate)) for part in parts(frames)])


def _send(server: socket.socket, writes: Writes) -> None:
    with suppress(OSError):  # what a contender does not take is lost
        write(server, writes)


def costs(
    setup: Setup, contenders: Sequence[Contender], rival: Contender, start: Start
) -> list[list[str]]:
    """Measure the contenders at every rate, in rounds; return the table's lines."""
    present = [each for each in contenders if not each.missing()]
    results: _Results = {(each, rate): [] for each in present for rate in RATES}
    for number in range(setup.repeats):
        for rate in RATES:
            say(f"steady, round {number + 1} of {setup.repeats}: {rate:,}/s …")
            used = _by_turns(setup, present, rate, start)
            for contender, found in zip(present, used, strict=True):
                results[contender, rate].append(found)
                say(f"  {contender.name}: {_share(found):.1f} %")
    return [_row(each, rival, results) for each in contenders]


def _by_turns(
    setup: Setup, contenders: Sequence[Contender], rate: int, start: Start
) -> list[Result]:
    with ExitStack() as stack:
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory(dir=setup.folder)))
            for _ in contenders
        ]
        runners = [
            stack.enter_context(start(contender, folder, rate))
            for contender, folder in zip(contenders, folders, strict=True)
        ]
        return by_turns(runners, setup.broker, rate * SECONDS // TURNS)


def _share(run: Result) -> float:
    """Return the percentage of a core."""
    return 100 * run.cpu / run.seconds if run.seconds else 0.0


def _row(contender: Contender, rival: Contender, results: _Results) -> list[str]:
    if contender.missing():
        return [contender.name, contender.missing(), *[NOTHING] * (len(HEADER) - 2)]
    cells = [contender.name]
    for rate in RATES:
        runs = results[contender, rate]
        others = results.get((rival, rate), [])
        ratios = [
            _share(run) / _share(other)
            for run, other in zip(runs, others, strict=False)
            if other.delivered
        ]
        cells += [
            spread([_share(run) for run in runs], 1),
            f"{statistics.median(ratios):.2f}" if ratios else NOTHING,
        ]
    last = results[contender, RATES[-1]]
    lost = max(run.lost for rate in RATES for run in results[contender, rate])
    return [*cells, f"{lost:,}", spread([run.peak for run in last])]
