"""Section: what steady rates cost, at which most networks run."""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.bench.contenders import BRIDGE, FRAMED, NODE_RED, SDK_STEADY, Contender
from lab.bench.load import numbered_frames
from lab.bench.measure import Result, measure
from lab.bench.report import NOTHING, Setup, say, spread, table

RATES = (10, 100, 1000)
"""Frames, or events, a second."""
SECONDS = 15
"""For which each contender runs at each rate."""
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
in which they come. Ratios: of runs of the same round, the median; lost: the most; other figures:
median (min-max) of rounds; peak RSS at the highest rate. The SDK alone parses nothing and keeps
nothing on disk. The Node bridge and Node-RED keep nothing on disk either."""

_Results = dict[tuple[Contender, int], list[Result]]
Run = Callable[[Contender, Path, int], Result]
"""Measures a contender, with its files in an empty folder, at a rate."""


def section(setup: Setup) -> str:
    """Measure every contender at every rate, in rounds; return the table."""

    def run(contender: Contender, folder: Path, rate: int) -> Result:
        return measure(contender, setup.broker, folder, numbered_frames(rate * SECONDS), rate)

    title = f"Steady rates, for {SECONDS} s each; rounds: {setup.repeats}"
    rows = costs(setup, _CONTENDERS, NODE_RED, run)
    return table(title, HEADER, rows) + "\n" + _NOTES


def costs(
    setup: Setup, contenders: Sequence[Contender], rival: Contender, run: Run
) -> list[list[str]]:
    """Run every contender at every rate, in rounds; return the table's lines."""
    present = [each for each in contenders if not each.missing()]
    results: _Results = {(each, rate): [] for each in present for rate in RATES}
    for number in range(setup.repeats):
        for rate in RATES:
            for contender in present:
                say(f"steady, round {number + 1}: {contender.name}, {rate:,}/s …")
                with tempfile.TemporaryDirectory(dir=setup.folder) as folder:
                    found = run(contender, Path(folder), rate)
                results[contender, rate].append(found)
                say(f"  {_share(found):.1f} %")
    return [_row(each, rival, results) for each in contenders]


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
