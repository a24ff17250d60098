"""Section: downlinks from request to socket, and what it takes to have many of them open."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from lab.bench.load import numbered_frames
from lab.bench.report import Setup, percentiles, say, spread, table
from lab.bench.sync_latency import sync_median
from lab.bench.way_back import bridge_with_downlinks, publish, through_bridge, to_subscriber
from lab.bench.writer import connect, paced, write
from lab.rig.usage import Usage

_RATES = (10, 100)  # requests a second
_SECONDS = 10
_HEADER = (
    "requests/s",
    "ratio of p50 to SDK",
    "bridge p50, ms",
    "bridge p99, ms",
    "SDK p50, ms",
    "SDK p99, ms",
    "bare sync",
)
_NOTES = """
Bridge: from the publishing of a request to its bytes on the network server's socket, with the
downlink on disk before that; SDK alone: to the callback of its own subscriber, in a process of its
own, by turns. Ratio: of runs of the same round, the median; other figures: median (min-max) of
rounds. A bare sync, in ms, is that of one page in a file on the same disk: a request waits for one,
and often for that of the downlink before it."""

_OPEN = 10_000  # downlinks, one of each device
_OPENING = 1_000  # requests a second
_FRAMES = 100  # a second
_HEADER_OF_OPEN = (
    "open downlinks",
    "ratio of CPU",
    "% of a core, idle",
    f"% of a core at {_FRAMES} frames/s",
    "ratio of RSS",
    "peak RSS, MB",
)
_NOTES_OF_OPEN = """
Open: written to the network server, which says nothing of them. CPU of the bridge's process, user
and system. Ratios: to none open, of runs of the same round, the median, that of CPU at the rate;
other figures: median (min-max) of rounds. The peak has the time in which they were opened."""

_Percentiles = tuple[float, float]
_Round = tuple[_Percentiles, _Percentiles, float]  # of bridge and SDK, and the bare sync


@dataclass(frozen=True)
class Cost:
    """Percentages of a core, without frames and with, and MB resident at most."""

    idle: float
    busy: float
    peak: float


def section(setup: Setup) -> str:
    """Measure both, in ``setup.repeats`` rounds; return the tables."""
    return f"{_latencies(setup)}\n\n{_costs(setup)}"


def _latencies(setup: Setup) -> str:
    found: dict[int, list[_Round]] = {rate: [] for rate in _RATES}
    for number in range(setup.repeats):
        for rate, rounds in found.items():
            say(f"downlinks, round {number + 1} of {setup.repeats}: {rate} requests/s …")
            where = (setup.folder, rate, _SECONDS)
            sdk = percentiles(to_subscriber(*where))
            bridge = percentiles(through_bridge(*where))
            rounds.append((bridge, sdk, sync_median(*where)))
    rows = [_row(rate, rounds) for rate, rounds in found.items()]
    title = f"Downlinks from request to socket, {_SECONDS} s at each rate; rounds: {setup.repeats}"
    return table(title, _HEADER, rows) + "\n" + _NOTES


def _row(rate: int, rounds: list[_Round]) -> list[str]:
    bridges, sdks, syncs = zip(*rounds, strict=True)
    ratio = statistics.median(bridge[0] / sdk[0] for bridge, sdk, _ in rounds)
    figures = [[each[which] for each in who] for who in (bridges, sdks) for which in (0, 1)]
    return [f"{rate:,}", f"{ratio:.2f}", *(spread(each, 2) for each in (*figures, syncs))]


def _costs(setup: Setup) -> str:
    found: dict[int, list[Cost]] = {0: [], _OPEN: []}
    for number in range(setup.repeats):
        for count, rounds in found.items():
            say(f"open downlinks, round {number + 1} of {setup.repeats}: {count:,} …")
            rounds.append(cost(setup.folder, count, _SECONDS))
    rows = [_row_of_open(count, rounds, found[0]) for count, rounds in found.items()]
    title = f"A bridge with open downlinks, {_SECONDS} s each; rounds: {setup.repeats}"
    return table(title, _HEADER_OF_OPEN, rows) + "\n" + _NOTES_OF_OPEN


def cost(folder: Path, count: int, seconds: float) -> Cost:
    """Measure a bridge with so many open downlinks.

    Raises:
        RigError: it did not start, or not all came to the network server.

    """
    with bridge_with_downlinks(folder) as playing:
        if count:
            publish(playing.broker, count, _OPENING)
            playing.server.has_taken(count)
        usage = Usage(playing.process.pid)
        time.sleep(1)  # for what comes after the writing, such as events
        before = usage.cpu()
        time.sleep(seconds)
        between = usage.cpu()
        with connect(playing.port) as connection:
            write(connection, paced(numbered_frames(int(_FRAMES * seconds)), _FRAMES))
        busy = usage.cpu() - between
        usage.look()
    return Cost(100 * (between - before) / seconds, 100 * busy / seconds, usage.peak)


def _row_of_open(count: int, rounds: list[Cost], without: list[Cost]) -> list[str]:
    pairs = list(zip(rounds, without, strict=True))
    return [
        f"{count:,}",
        f"{statistics.median(each.busy / none.busy for each, none in pairs):.2f}",
        spread([each.idle for each in rounds], 1),
        spread([each.busy for each in rounds], 1),
        f"{statistics.median(each.peak / none.peak for each, none in pairs):.2f}",
        spread([each.peak for each in rounds]),
    ]
