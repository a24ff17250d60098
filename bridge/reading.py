"""The commands that read: the history of a device, and what all devices have done."""

import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from bridge.errors import BridgeError
from bridge.parameters import device as device_argument
from bridge.parameters import endpoint_options, folder_option, point

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from bridge.live import Consumer
    from bridge.rows import Row

_TEXTS = ("table", "json", "csv")
_FOLLOWED = 10  # uplinks shown before those that come live
_PERIOD = 86_400_000_000  # microseconds


@dataclass(frozen=True)
class _Output:
    """Where an output goes and in which form; ``fields`` None are all."""

    fields: list[str] | None
    form: str
    path: Path | None


def _names(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[str] | None:
    return None if value is None else [each.strip() for each in value.split(",")]


@click.command()
@click.argument("device", callback=device_argument)
@click.option(
    "--since", callback=point, metavar="T", help="ISO 8601, or an age: 45s, 30m, 2h, 7d, 3w."
)
@click.option("--until", callback=point, metavar="T", help="The same; both are inclusive.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N, the newest.")
@click.option("--fields", callback=_names, metavar="A,B.C", help="Only these columns.")
@click.option(
    "--format",
    "form",
    type=click.Choice([*_TEXTS, "parquet"]),
    default="table",
    show_default=True,
    help="json is one array, a row a line.",
)
@click.option("--plot", metavar="FIELD", help="Draw a chart of a field instead.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write there; a plot as FILE.png or FILE.svg.",
)
@click.option("--follow", is_flag=True, help="Go on live, as the consumer of --name, until Ctrl-C.")
@click.option("--name", metavar="NAME", help="The consumer to follow as.")
@folder_option
@endpoint_options
def history(  # noqa: PLR0913  # a parameter for each option
    *,
    device: str,
    since: int | None,
    until: int | None,
    limit: int | None,
    fields: list[str] | None,
    form: str,
    plot: str | None,
    output: Path | None,
    follow: bool,
    name: str | None,
    folder: Path,
    endpoint: str | None,
    port: int,
    root_ca: Path | None,
) -> None:
    """Show the stored uplinks of a device.

    DEVICE is APPEUI/MOTEEUI. Newest come first; rssi and lsnr in a table are those of the gateway
    that heard the device best. What a codec has decoded are columns too, a field within a map is
    MAP.FIELD. Times without a zone are UTC, a date alone is its first moment.
    Needs AWS credentials that may read the LoraStore stack and query its table, and --follow the
    key and certificate of a consumer too. It shows the newest uplinks, oldest first, and goes on.

    \b
    Example:
      lora-bridge history 37817737f13/9372163 --since 7d --format csv
      lora-bridge history 37817737f13/9372163 --since 7d --plot temperature
      lora-bridge history 37817737f13/9372163 --follow --name reader
    """
    from bridge.history import END_OF_TIME, table_name

    shown = _Output(fields, form, output)
    _check(shown, plot, follow=follow, name=name)
    earliest = 0 if since is None else since
    latest = END_OF_TIME if until is None else until
    if earliest > latest:
        raise click.UsageError("--since is later than --until")
    table = table_name()
    if follow:
        from bridge.enroll import Endpoint, find_endpoint
        from bridge.live import Consumer

        where = Endpoint(endpoint or find_endpoint(), port, root_ca)
        _follow(Consumer(str(name), folder, where), table, device, shown, limit)
        return
    scrolling = plot is None and output is None and sys.stdout.isatty()
    watched = sys.stderr.isatty() and not scrolling
    stored = _stored(table, device, (earliest, latest), limit, watched=watched)
    with stored as rows, _writing(output):
        if plot is None:
            _write(rows, shown)
        else:
            _draw(rows, plot, output)


def _check(shown: _Output, plot: str | None, *, follow: bool, name: str | None) -> None:
    """Complain of options that do not go together."""
    if follow and name is None:
        raise click.UsageError("--follow needs --name, of a consumer that is enrolled")
    if follow and (plot or shown.path or shown.form not in _TEXTS):
        raise click.UsageError("--follow writes to the terminal, as table, json or csv")
    if shown.form == "parquet" and not (shown.path or plot):
        raise click.UsageError("--format parquet needs --output FILE")
    if plot and shown.path and shown.path.suffix not in {".png", ".svg"}:
        raise click.UsageError("--plot writes --output FILE.png or FILE.svg")


@contextmanager
def _stored(
    table: str, device: str, period: tuple[int, int], limit: int | None, *, watched: bool
) -> "Iterator[Iterator[Row]]":
    """Give the stored rows, with a progress bar where they are ``watched``."""
    from bridge.history import oldest_time, uplinks
    from bridge.timestamps import parse_time

    rows = uplinks(table, device, *period, limit)
    first = next(rows, None)
    if first is None:
        click.echo(f"no uplinks of {device} between these times", err=True)
    rows = chain([first] if first else [], rows)
    if first is None or not watched:
        yield rows
        return
    newest = parse_time(str(first["timestamp"])) or 0
    oldest = parse_time(oldest_time(table, device, *period) or "") or newest
    with click.progressbar(length=newest - oldest + 1, label=device, file=sys.stderr) as bar:

        def passing() -> "Iterator[Row]":
            reached = newest
            for row in rows:
                at = parse_time(str(row["timestamp"])) or reached
                bar.update(reached - at)
                reached = at
                yield row
            bar.update(reached - oldest + 1)

        yield passing()


@contextmanager
def _writing(path: Path | None) -> Iterator[None]:
    """Say which file it was that cannot be written."""
    try:
        yield
    except OSError as error:
        if path is None:
            raise
        raise BridgeError(f"{path}: cannot write it: {error.strerror or error}") from None


def _write(rows: "Iterable[Row]", shown: _Output) -> None:
    """Write rows as they come."""
    from bridge.columns import choose
    from bridge.tables import Format, render

    columns, rows = choose(rows, shown.fields)
    if shown.form == "parquet" and shown.path:
        with _libraries():
            from bridge.parquet import write_parquet
        write_parquet(rows, columns, shown.path)
    elif shown.path:
        with shown.path.open("w", encoding="utf-8") as file:
            for line in render(rows, Format(shown.form), columns):
                file.write(line + "\n")
    else:
        for line in render(rows, Format(shown.form), columns):
            click.echo(line)
    for remark in columns.remarks():
        click.echo(remark, err=True)


def _draw(rows: "Iterable[Row]", field: str, output: Path | None) -> None:
    with _libraries():
        from bridge.plots import draw, picture, points
    curve = points(rows, field)
    if output:
        picture(curve, field, output)
    else:
        click.echo(draw(curve, field, color=sys.stdout.isatty()))


def _follow(
    consumer: "Consumer", table: str, device: str, shown: _Output, limit: int | None
) -> None:
    """Show the newest stored rows, oldest first, and then what comes, until Ctrl-C."""
    from bridge.columns import choose
    from bridge.history import uplinks
    from bridge.live import live_uplinks
    from bridge.tables import Format, render

    stored = list(uplinks(table, device, limit=limit or _FOLLOWED))[::-1]
    columns, rows = choose(stored, shown.fields)
    ended = Event()
    # Not an exception wherever it happens to strike: what is begun is written to its end.
    signal.signal(signal.SIGINT, lambda _number, _frame: ended.set())
    with live_uplinks(consumer, device, ended.is_set) as live:
        for line in render(chain(rows, live), Format(shown.form), columns):
            click.echo(line)


@click.command()
@click.option("--application", metavar="APPEUI", help="Only devices of this application.")
@click.option(
    "--since",
    callback=point,
    metavar="T",
    help="Begin of the period, ISO 8601 or an age.  [default: 1d]",
)
@click.option("--format", "form", type=click.Choice(_TEXTS), default="table", show_default=True)
def devices(application: str | None, since: int | None, form: str) -> None:
    """Show what devices have reported, and how well they were heard.

    Of each device: the time of its last uplink, and how many uplinks came in the period, how many
    seqnos are missing between them, and the best RSSI and SNR. Reads a small list of devices, and
    the uplinks of the period. Needs AWS credentials that may read the LoraStore stack and query
    its tables.

    \b
    Example:
      lora-bridge devices --since 7d
    """
    from bridge.devices import listed, summaries, table_names
    from bridge.tables import Format, render_devices

    uplinks, devices = table_names()
    begin = time.time_ns() // 1000 - _PERIOD if since is None else since
    names = list(listed(devices, application))
    if not names:
        click.echo("no devices have reported", err=True)
    hidden = not sys.stderr.isatty() or sys.stdout.isatty()
    found = summaries(uplinks, names, begin)
    with click.progressbar(found, length=len(names), hidden=hidden, file=sys.stderr) as watched:
        for line in render_devices(watched, Format(form)):
            click.echo(line)


@contextmanager
def _libraries() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise BridgeError(f"{error.name} is not installed: pip install '.[plots]'") from None
