"""Section: what steady rates cost, at which most networks run."""

import statistics
import tempfile
from pathlib import Path

from lab.bench.contenders import BRIDGE, FRAMED, NODE_RED, SDK_STEADY, Contender
from lab.bench.load import numbered_frames
from lab.bench.measure import Result, measure
from lab.bench.report import NOTHING, Setup, say, spread, table

_RATES = (10, 100, 1000)  # frames a second
_SECONDS = 15
_CONTENDERS = (BRIDGE, SDK_STEADY, FRAMED, NODE_RED)
_HEADER = (
    "contender",
    *(column for rate in _RATES for column in (f"% of a core at {rate:,}/s", "ratio to Node-RED")),
    "lost",
    "peak RSS, MB",
)
_NOTES = """
CPU of the contender's processes, user and system, while frames come one by one, over the seconds
in which they come. Ratios: of runs of the same round, the median; lost: the most; other figures:
median (min-max) of rounds; peak RSS at the highest rate. The SDK alone parses nothing and keeps
nothing on disk. The Node bridge and Node-RED keep nothing on disk either."""

_Results = dict[tuple[Contender, int], list[Result]]


def section(setup: Setup) -> str:
    """Measure every contender at every rate, in rounds; return the table."""
    present = [each for each in _CONTENDERS if not each.missing()]
    results: _Results = {(each, rate): [] for each in present for rate in _RATES}
    for number in range(setup.repeats):
        for rate in _RATES:
            for contender in present:
                say(f"steady, round {number + 1}: {contender.name}, {rate:,} frames/s …")
                frames = numbered_frames(rate * _SECONDS)
                with tempfile.TemporaryDirectory(dir=setup.folder) as folder:
                    found = measure(contender, setup.broker, Path(folder), frames, rate)
                results[contender, rate].append(found)
                say(f"  {_share(found):.1f} %")
    title = f"Steady rates, for {_SECONDS} s each; rounds: {setup.repeats}"
    return table(title, _HEADER, [_row(each, results) for each in _CONTENDERS]) + "\n" + _NOTES


def _share(run: Result) -> float:
    """Return the percentage of a core."""
    return 100 * run.cpu / run.seconds if run.seconds else 0.0


def _row(contender: Contender, results: _Results) -> list[str]:
    if contender.missing():
        return [contender.name, contender.missing(), *[NOTHING] * (len(_HEADER) - 2)]
    cells = [contender.name]
    for rate in _RATES:
        runs = results[contender, rate]
        others = results.get((NODE_RED, rate), [])
        ratios = [
            _share(run) / _share(other)
            for run, other in zip(runs, others, strict=False)
            if other.delivered
        ]
        cells += [
            spread([_share(run) for run in runs], 1),
            f"{statistics.median(ratios):.2f}" if ratios else NOTHING,
        ]
    last = results[contender, _RATES[-1]]
    lost = max(run.lost for rate in _RATES for run in results[contender, rate])
    return [*cells, f"{lost:,}", spread([run.peak for run in last])]
