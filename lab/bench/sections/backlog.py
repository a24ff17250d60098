"""Section: a spool full of messages is published, and a burst as large is taken."""

import statistics
import tempfile
from pathlib import Path

from lab.bench.contenders import BRIDGE
from lab.bench.drain import Drain, drain
from lab.bench.full_spool import fill
from lab.bench.load import numbered_frames
from lab.bench.measure import Result, measure
from lab.bench.report import NOTHING, Setup, say, spread, table

_FIRST = 2.0  # seconds: the promise for the first delivery
_PEAK = 100.0  # MB: the promise for the peak
_HEADER = ("figure", "ratio to promise", "measured", "promise")
_NOTES = """
The spool's file is read from the disk, as after the host's restart. Start: of the process."""
_BURST_HEADER = ("frames", "ratio to promise", "ratio to first", "peak RSS, MB", "lost")
_BURST_NOTES = """
The promise: a peak below 100 MB, and none larger for more frames; none lost. Ratios: of the largest
peak to the promise, and of the median to that of the first line; peak: median (min-max); lost: the
most."""


def section(setup: Setup) -> str:
    """Measure both; return a table of each."""
    with tempfile.TemporaryDirectory(dir=setup.folder) as name:
        say(f"backlog: filling a spool with {setup.backlog:,} …")
        fill(Path(name) / "spool.db", setup.backlog)
        say("backlog: draining it …")
        drained = drain(setup.broker, Path(name), setup.backlog)
    title = f"The bridge finds {setup.backlog:,} messages in its spool"
    return "\n".join([table(title, _HEADER, rows(drained)), _NOTES, "", _bursts(setup)])


def rows(drained: Drain) -> list[list[str]]:
    """Return the table's lines, those with a promise first."""
    quarters = ", ".join(f"{rate:,.0f}" for rate in drained.rates)
    memory = ", ".join(f"{each:.0f}" for each in drained.resident)
    slowest = min(drained.rates) / max(drained.rates)
    return [
        [
            "start to first delivery, s",
            f"{drained.first / _FIRST:.2f}",
            f"{drained.first:.2f}",
            "at most 2",
        ],
        ["peak RSS, MB", f"{drained.peak / _PEAK:.2f}", f"{drained.peak:.0f}", "below 100"],
        ["slowest quarter to fastest", f"{slowest:.2f}", f"{slowest:.2f}", "1"],
        ["messages/s in each quarter", NOTHING, quarters, NOTHING],
        ["RSS at the end of each, MB", NOTHING, memory, NOTHING],
        ["spool.db, emptied, MB", NOTHING, f"{drained.file:.1f}", NOTHING],
        ["its -wal, MB", NOTHING, f"{drained.wal:.1f}", NOTHING],
        ["lost", NOTHING, f"{drained.lost:,}", "0"],
    ]


def _bursts(setup: Setup) -> str:
    sizes = (setup.frames, setup.backlog)
    frames = numbered_frames(max(sizes))
    found: dict[int, list[Result]] = {size: [] for size in sizes}
    for number in range(setup.repeats):
        for size, results in found.items():
            say(f"backlog, round {number + 1} of {setup.repeats}: a burst of {size:,} frames …")
            with tempfile.TemporaryDirectory(dir=setup.folder) as name:
                results.append(measure(BRIDGE, setup.broker, Path(name), frames[:size]))
    first = found[setup.frames]
    lines = [_burst(size, results, first) for size, results in found.items()]
    title = f"Memory of the bridge in one burst; rounds: {setup.repeats}"
    return table(title, _BURST_HEADER, lines) + "\n" + _BURST_NOTES


def _burst(size: int, results: list[Result], first: list[Result]) -> list[str]:
    peaks = [result.peak for result in results]
    growth = statistics.median(peaks) / statistics.median(result.peak for result in first)
    return [
        f"{size:,}",
        f"{max(peaks) / _PEAK:.2f}",
        f"{growth:.2f}",
        spread(peaks),
        f"{max(result.lost for result in results):,}",
    ]
