"""Measures contenders by turns: all of them run, and one works while the others rest.

What else a machine does changes within a minute, and by more than contenders differ. So they are
measured seconds apart, and not one after the other.
"""

import subprocess
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TypeVar

from lab.bench.measure import Result, measure_run
from lab.rig.mosquitto import Mosquitto

TURNS = 5

_T = TypeVar("_T")


@dataclass(frozen=True)
class Runner:
    """A contender that runs. Each of ``turns`` sends it uplinks, and as many as any other."""

    process: subprocess.Popen[bytes]
    turns: Sequence[Callable[[], object]]


def parts(load: Sequence[_T]) -> list[Sequence[_T]]:
    """Return a load in as many parts as there are turns."""
    each = len(load) // TURNS
    return [load[turn * each : (turn + 1) * each] for turn in range(TURNS)]


def by_turns(runners: Sequence[Runner], broker: Mosquitto, count: int) -> list[Result]:
    """Return what each used in its turns, in each of which it was sent ``count`` uplinks.

    Raises:
        RigError: one of them ended by itself.

    """
    runs: list[list[Result]] = [[] for _ in runners]
    for turn in range(TURNS):
        for runner, found in zip(runners, runs, strict=True):
            run = nullcontext(runner.process)
            found.append(measure_run(run, broker, runner.turns[turn], count))
    return [_total(each) for each in runs]


def _total(runs: Sequence[Result]) -> Result:
    return Result(
        sent=sum(run.sent for run in runs),
        delivered=sum(run.delivered for run in runs),
        seconds=sum(run.seconds for run in runs),
        cpu=sum(run.cpu for run in runs),
        peak=max(run.peak for run in runs),
    )
