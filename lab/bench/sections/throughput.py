"""Section: a burst of frames through every contender, side by side."""

import statistics
import tempfile
from pathlib import Path

from lab.bench.contenders import CONTENDERS, SDK_CALLBACK, SDK_LOOP, Contender
from lab.bench.load import numbered_frames
from lab.bench.measure import Result, measure
from lab.bench.report import NOTHING, Setup, say, spread, table

_HEADER = (
    "contender",
    "ratio to SDK loop",
    "ratio to SDK callback",
    "frames/s",
    "lost",
    "CPU s per 100,000",
    "peak RSS, MB",
)
_NOTES = """
Frames/s: different uplinks delivered to a subscriber, from the first write to the last delivery.
Ratios: of runs of the same round, the median; lost: the most; other figures: median (min-max).
CPU and RSS: of the contender's processes, for 100,000 delivered. The SDK alone holds all its
messages in memory before the clock starts, reads no socket and keeps nothing on disk. The Node
bridges publish the reading alone, a tenth of the bytes of the bridge's message; the pipeline
publishes raw frames to one topic."""

Results = dict[Contender, list[Result]]


def section(setup: Setup) -> str:
    """Measure ``setup.repeats`` rounds of all contenders; return the table."""
    frames = numbered_frames(setup.frames)
    results: Results = {each: [] for each in CONTENDERS if not each.missing()}
    for number in range(setup.repeats):
        for contender, found in results.items():
            say(f"burst, round {number + 1} of {setup.repeats}: {contender.name} …")
            with tempfile.TemporaryDirectory(dir=setup.folder) as folder:
                found.append(measure(contender, setup.broker, Path(folder), frames))
            say(f"  {found[-1].rate:,.0f} frames/s, lost {found[-1].lost:,}")
    title = f"One burst of {setup.frames:,} frames; rounds: {setup.repeats}"
    return table(title, _HEADER, [_row(each, results) for each in CONTENDERS]) + "\n" + _NOTES


def _row(contender: Contender, results: Results) -> list[str]:
    if contender not in results:
        return [contender.name, contender.missing(), *[NOTHING] * (len(_HEADER) - 2)]
    runs = results[contender]
    lost = max(run.lost for run in runs)
    return [
        contender.name,
        _ratio(runs, results[SDK_LOOP]),
        _ratio(runs, results[SDK_CALLBACK]),
        spread([run.rate for run in runs]),
        f"{lost:,} ({lost / runs[0].sent:.1%})" if lost else "0",
        spread([run.cpu_each for run in runs], 2) if lost < runs[0].sent else NOTHING,
        spread([run.peak for run in runs]),
    ]


def _ratio(runs: list[Result], others: list[Result]) -> str:
    ratios = [run.rate / other.rate for run, other in zip(runs, others, strict=True)]
    return f"{statistics.median(ratios):.2f}"
