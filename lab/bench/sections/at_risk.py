"""Section: for how long a frame that has been read is in memory alone."""

from collections.abc import Sequence

from lab.bench.instrumented_bridge import milliseconds, observe
from lab.bench.report import Setup, percentiles, say, spread, table

_RATE = 1000  # frames a second
_SECONDS = 10
_PROMISE = 10  # ms, of the 99th percentile
_HEADER = ("frames/s", "p99 to promise", "p50, ms", "p99, ms", "max, ms", "promise: p99, ms")
_NOTES = """
From the read that completed the frame until the event loop has learned that it is on disk, in the
whole bridge at work, which publishes and deletes meanwhile. Figures: median (min-max) of rounds."""


def section(setup: Setup) -> str:
    """Measure it in ``setup.repeats`` rounds; return the table."""
    found = []
    for number in range(setup.repeats):
        say(f"at risk, round {number + 1} of {setup.repeats} …")
        times = observe(setup.broker, setup.folder, _RATE, _SECONDS)
        found.append(milliseconds(times.read, times.committed))
    title = f"The window at risk: read, and not yet on disk, {_SECONDS} s; rounds: {setup.repeats}"
    return table(title, _HEADER, [row(_RATE, found)]) + "\n" + _NOTES


def row(rate: int, found: Sequence[Sequence[float]]) -> list[str]:
    """Return the table's line for the milliseconds of each round."""
    medians, slow = zip(*map(percentiles, found), strict=True)
    return [
        f"{rate:,}",
        spread([each / _PROMISE for each in slow], 2),
        spread(medians, 2),
        spread(slow, 2),
        spread([max(each) for each in found], 2),
        str(_PROMISE),
    ]
