"""How results are told: progress on standard error, tables as Markdown, where they were made."""

import importlib.metadata
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.mosquitto import Mosquitto, version

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


def machine() -> str:
    """Return when, on what and with what this is measured, in one line."""
    facts = [
        f"{datetime.now(UTC):%Y-%m-%d}",
        f"{os.cpu_count()} cores of {_cpu_model()}",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        version(),
        f"awsiotsdk {importlib.metadata.version('awsiotsdk')}",
        f"awscrt {importlib.metadata.version('awscrt')}",
    ]
    return ", ".join(facts)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
