"""How results are told: progress on standard error, tables as Markdown, where they were made."""

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.rig.mosquitto import Mosquitto

NOTHING = "-"
"""Stands where there is nothing to tell."""


@dataclass(frozen=True)
class Setup:
    """What every section of the bench gets.

    ``folder`` is on disk and shared; ``frames`` are in one burst, ``repeats`` of every run,
    ``backlog`` messages in a full spool.
    """

    broker: Mosquitto
    folder: Path
    frames: int
    repeats: int
    backlog: int


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, file=sys.stderr, flush=True)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return ``median (min-max)``, or the value alone where there is no more than one."""
    middle = f"{statistics.median(values):,.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    hundredths = statistics.quantiles(values, n=100, method="inclusive")
    return hundredths[49], hundredths[98]


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table below its title; all columns but the first are of numbers."""
    rule = ["---", *("---:" for _ in header[1:])]
    lines = ["| " + " | ".join(row) + " |" for row in (header, rule, *rows)]
    return "\n".join([f"**{title}**", "", *lines])
