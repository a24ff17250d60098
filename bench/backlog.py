"""Section: a spool full of messages is published, and a burst as large is taken."""

import tempfile
from pathlib import Path

from bench.contenders import BRIDGE
from bench.drain import Drain, drain
from bench.full_spool import fill
from bench.load import numbered_frames
from bench.measure import measure
from bench.report import NOTHING, Setup, say, table

_FIRST = 2.0  # seconds: the promise for the first delivery
_PEAK = 100.0  # MB: the promise for the peak
_HEADER = ("figure", "ratio to promise", "measured", "promise")
_BURST_HEADER = ("frames", "ratio to promise", "ratio to first", "peak RSS, MB", "lost")
_BURST_NOTES = "\nThe promise: a peak below 100 MB, and none larger for more frames; none lost."


def section(setup: Setup) -> str:
    """Measure both; return a table of each."""
    with tempfile.TemporaryDirectory(dir=setup.folder) as name:
        say(f"backlog: filling a spool with {setup.backlog:,} …")
        fill(Path(name) / "spool.db", setup.backlog)
        say("backlog: draining it …")
        drained = drain(setup.broker, Path(name), setup.backlog)
    title = f"The bridge finds {setup.backlog:,} messages in its spool"
    return table(title, _HEADER, rows(drained)) + "\n\n" + _bursts(setup)


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
    lines: list[list[str]] = []
    first = 0.0
    for frames in (setup.frames, setup.backlog):
        say(f"backlog: a burst of {frames:,} frames …")
        with tempfile.TemporaryDirectory(dir=setup.folder) as name:
            result = measure(BRIDGE, setup.broker, Path(name), numbered_frames(frames))
        first = first or result.peak
        ratios = (f"{result.peak / _PEAK:.2f}", f"{result.peak / first:.2f}")
        lines.append([f"{frames:,}", *ratios, f"{result.peak:.0f}", f"{result.lost:,}"])
    return table("Memory of the bridge in one burst", _BURST_HEADER, lines) + "\n" + _BURST_NOTES
