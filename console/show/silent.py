"""Shows which devices are silent, and says on standard error what else there is to say."""

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from console.show.tables import Format, render_records
from console.store.devices import Listed
from console.store.recent import recent
from console.store.silent import Silent, Standing, is_open, standing
from contract.silence import AHEAD, INTERVALS_FILE, Intervals, load_intervals

_SILENT = "{:28} {:27} {:>5} {:>7}"


def intervals_of(path: Path | None) -> Intervals:
    """Read a file of intervals, or that of this folder if there is one.

    Raises:
        BridgeError: naming the file, and what is wrong with it.

    """
    if path is None and not Path(INTERVALS_FILE).exists():
        return Intervals()
    return load_intervals(path or Path(INTERVALS_FILE))


def show_silent(table: str, devices: Iterable[Listed], intervals: Intervals, form: Format) -> bool:
    """Print the silent ones, the longest silent first; say whether there are any.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    now = time.time_ns() // 1000
    looked_at = [each for each in devices if is_open(each, intervals, now)]
    hidden = not sys.stderr.isatty()
    judged = _standings(table, looked_at, intervals, now)
    with click.progressbar(judged, length=len(looked_at), hidden=hidden, file=sys.stderr) as bar:
        found = list(bar)
    silent = [each for each in (one.silent(now) for one in found) if each is not None]
    silent.sort(key=lambda each: each.silent_since)
    for line in render_records(silent, Silent, _SILENT, form):
        click.echo(line)
    _say_what_else(silent, sum(not each.is_known for each in found))
    return bool(silent)


def _standings(
    table: str, devices: list[Listed], intervals: Intervals, now: int
) -> Iterator[Standing]:
    newest = recent(table, (each.device for each in devices), "#time", until=now + AHEAD)
    for listed, found in zip(devices, newest, strict=True):
        yield standing(listed, found.times, intervals)


def _say_what_else(silent: list[Silent], unknown: int) -> None:
    if not silent:
        click.echo("no device is silent", err=True)
    if unknown:
        click.echo(
            f"unknown: {unknown}, of which too few uplinks are stored to learn their interval;"
            f" it can be set in {INTERVALS_FILE}",
            err=True,
        )
