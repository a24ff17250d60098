"""Writes stored uplinks where they were asked for: the terminal, a pipe, a file, a chart."""

import shutil
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click

from console.show.columns import choose
from console.show.tables import Format, Reader, render
from console.store.history import oldest_time, uplinks
from contract.errors import BridgeError
from contract.names import SORT_KEY
from contract.rows import Row
from contract.times import parse_time

# The libraries for charts and Parquet are imported where they are used: hosts do not have them.
# ruff: noqa: PLC0415

PICTURES = {".png", ".svg"}


@dataclass(frozen=True)
class Output:
    """What is written, and where; ``fields`` None are all, ``plot`` a field that is drawn instead.

    ``form`` is a ``Format`` or ``parquet``, which needs a path. CSV may be for a ``spreadsheet``.
    """

    fields: list[str] | None
    form: str
    plot: str | None
    path: Path | None
    spreadsheet: bool = False

    @property
    def reader(self) -> Reader:
        """Who reads the text."""
        if self.spreadsheet:
            return Reader.SPREADSHEET
        return Reader.PROGRAM if self.path or not sys.stdout.isatty() else Reader.TERMINAL


@dataclass(frozen=True)
class Period:
    """Which uplinks: times in microseconds since 1970, both inclusive, at most the newest N."""

    since: int
    until: int
    limit: int | None


def write(table: str, device: str, period: Period, output: Output) -> bool:
    """Write the stored uplinks of a device; return whether there are any.

    A file is there when it is complete.

    Raises:
        BridgeError: AWS refuses, the file cannot be written, a library is not installed, or what
            is stored cannot be written this way.

    """
    rows = uplinks(table, device, period.since, period.until, period.limit)
    first = next(rows, None)
    if first is None and output.plot:
        return False
    rows = chain([first] if first else [], rows)
    scrolling = output.plot is None and output.path is None and sys.stdout.isatty()
    if first is not None and sys.stderr.isatty() and not scrolling:
        oldest = oldest_time(table, device, period.since, period.until)
        rows = _watched(rows, device, _time(first), parse_time(oldest or "") or _time(first))
    with _target(output.path) as path:
        if output.plot is None:
            _write_rows(rows, output, path)
        else:
            _draw(rows, device, output.plot, path)
    return first is not None


def _watched(rows: Iterator[Row], device: str, newest: int, oldest: int) -> Generator[Row]:
    """Yield the rows, with a progress bar from the newest to the oldest time."""
    with click.progressbar(length=newest - oldest + 1, label=device, file=sys.stderr) as bar:
        reached = newest
        for row in rows:
            at = _time(row)
            bar.update(reached - at)
            reached = at
            yield row
        bar.update(reached - oldest + 1)


def _time(row: Row) -> int:
    return parse_time(str(row[SORT_KEY])) or 0


@contextmanager
def _target(path: Path | None) -> Iterator[Path | None]:
    """Give a file to write to, which takes its name when it is complete.

    What is no regular file, such as a pipe or a device, is written to as it is.
    """
    try:
        if path is None or not _replaceable(path):
            yield path
            return
        whole = path.resolve()  # a link stays, and leads to the new file
        part = whole.with_name(f".{whole.stem}.part{whole.suffix}")
        try:
            yield part
            if whole.exists():
                shutil.copymode(whole, part)
            part.replace(whole)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise BridgeError(f"{path}: cannot write it: {error.strerror or error}") from None


def _replaceable(path: Path) -> bool:
    """Say whether a new file may take the path: it is free, or that of a regular file."""
    # /dev/stdout is a regular file where the shell has redirected it, and is never replaced.
    return not path.is_relative_to("/dev") and (path.is_file() or not path.exists())


def _write_rows(rows: Iterable[Row], output: Output, path: Path | None) -> None:
    """Write rows as they come."""
    columns, rows = choose(rows, output.fields)
    if path is None:
        for line in render(rows, Format(output.form), columns, output.reader):
            click.echo(line)
    elif output.form in set(Format):
        with path.open("w", encoding="utf-8") as file:
            for line in render(rows, Format(output.form), columns, output.reader):
                file.write(line + "\n")
    else:
        with _libraries():
            from console.show.parquet import write_parquet
        write_parquet(rows, columns, path)
    for remark in columns.remarks():
        click.echo(remark, err=True)


def _draw(rows: Iterable[Row], device: str, field: str, path: Path | None) -> None:
    with _libraries():
        from console.show.plots import draw, picture, points
    curve = points(rows, field)
    if path:
        picture(curve, field, device, path)
    else:
        click.echo(draw(curve, field, color=sys.stdout.isatty()))


@contextmanager
def _libraries() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise BridgeError(f"{error.name} is not installed: pip install '.[plots]'") from None
