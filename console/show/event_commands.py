"""The command that reads what has happened to a device beside its uplinks."""

import sys
from functools import partial
from itertools import chain
from pathlib import Path

import click

from console.parameters import (
    deployment_option,
    device_argument,
    endpoint_options,
    folder_option,
    format_option,
    period,
    point,
)
from contract.deployment import Deployment
from contract.names import EventType

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415


def _kind(_ctx: click.Context, _param: click.Parameter, value: str | None) -> EventType | None:
    return None if value is None else EventType(value)


@click.command()
@click.argument("device", callback=device_argument)
@click.option(
    "--type",
    "kind",
    type=click.Choice([each.value for each in EventType]),
    callback=_kind,
    help="Only those of this type.",
)
@click.option(
    "--since", callback=point, metavar="T", help="ISO 8601, or an age: 45s, 30m, 2h, 7d, 3w."
)
@click.option(
    "--until", callback=point, metavar="T", help="The same form; both times are inclusive."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest N.")
@format_option
@click.option("--follow", is_flag=True, help="Show live events too, until Ctrl-C; needs --name.")
@click.option("--name", metavar="NAME", help="The consumer to connect as, for --follow.")
@folder_option
@endpoint_options
@deployment_option
def events(  # noqa: PLR0913  # a parameter for each option
    *,
    device: str,
    kind: EventType | None,
    since: int | None,
    until: int | None,
    limit: int | None,
    form: str,
    follow: bool,
    name: str | None,
    folder: Path,
    endpoint: str | None,
    port: int,
    root_ca: Path | None,
    deployment: Deployment,
) -> None:
    """Show what has happened to a device: joins, its status, what became of downlinks.

    DEVICE is APPEUI/MOTEEUI, or bridge/NAME for what a bridge tells of itself. The newest event
    comes first. What has no column of its own is in fields, as JSON. docs/downlinks.md says what
    each type has.

    --follow shows the newest events, the oldest of them first, and then each new one. It needs
    the key and certificate of a consumer, as that of history does.

    The command needs AWS credentials that may read the LoraStore stack and query its table; with
    --follow they must read the stack of the consumer, too.

    \b
    Example:
      lora-bridge events 37817737f13/9372163 --since 7d --type join
      lora-bridge events 37817737f13/9372163 --follow --name reader
    """
    from console.show.event_columns import choose_of_events
    from console.show.tables import Format, Reader, render
    from console.store.events import HeardEvents, events, events_since
    from console.store.history import END_OF_TIME, table_name

    earliest, latest = period(since, until, END_OF_TIME)
    if not follow:
        rows = events(table_name(deployment), device, kind, earliest, latest, limit)
        first = next(rows, None)
        if first is None:
            click.echo(f"no such events of {device} are stored", err=True)
        columns, rows = choose_of_events(chain([first] if first else [], rows))
        reader = Reader.TERMINAL if sys.stdout.isatty() else Reader.PROGRAM
        for line in render(rows, Format(form), columns, reader):
            click.echo(line)
        return
    if name is None:
        raise click.UsageError("--follow needs --name, the name of an enrolled consumer")
    if since is not None or until is not None:
        raise click.UsageError(
            "--follow starts with the newest events: use --limit in place of --since and --until"
        )
    from console.show.follow import Followed, follow_rows, following

    consumer = following(deployment, name, folder, endpoint, port, root_ca)
    table = table_name(deployment)
    followed = Followed(
        HeardEvents(deployment, device, kind),
        lambda count: events(table, device, kind, limit=count),
        partial(events_since, table, device, kind),
        choose_of_events,
    )
    follow_rows(consumer, followed, Format(form), limit)
