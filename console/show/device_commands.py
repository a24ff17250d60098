"""The command that reads what all devices have done."""

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.parameters import deployment_option, format_option, point
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.eui import one_case

if TYPE_CHECKING:
    from console.store.devices import Listed

# The modules behind the command are imported when it runs, see console/show/commands.py.
# ruff: noqa: PLC0415

_NOT_FOUND_OUT = 2  # the status of --silent; 1 says that a device is silent
_LISTED = "{:28} {:27}"
_DEVICE = "{:28} {:27} {:>7} {:>7} {:>4} {:>5}"


@click.command()
@click.option("--application", metavar="APPEUI", help="Only devices of this application.")
@click.option(
    "--since",
    callback=point,
    metavar="T",
    help="Also count the uplinks since then, ISO 8601 or an age: 2h, 7d.",
)
@click.option("--silent", is_flag=True, help="Only devices that have missed uplinks.")
@click.option(
    "--intervals",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="How often devices report, for --silent; without it intervals.toml, if it is here.",
)
@format_option
@deployment_option
def devices(
    *,
    application: str | None,
    since: int | None,
    silent: bool,
    intervals: Path | None,
    form: str,
    deployment: Deployment,
) -> None:
    """Show which devices have reported, and how well they were heard.

    For each device it prints last_seen, the time of its newest uplink, which may be up to three
    hours too early. This reads the list of devices alone, and is quick for a million of them.

    With --since it prints the time of the last uplink and, for the period, how many uplinks came,
    how many seqnos are missing, and the best RSSI and SNR. This reads the uplinks of the period,
    with a query for each device that may have sent any. Of a device that has sent none, the time
    of the last uplink may be up to three hours too early.

    With --silent it prints the devices that have missed three uplinks or more, the longest silent
    first: since when, how often the device usually reports, and how many uplinks it has missed.
    How often it reports is learnt from its last uplinks, with a query for each device, or set in
    intervals.toml. The exit status is 1 if any device is silent, and 2 if that could not be found
    out.

    Needs AWS credentials that may read the LoraStore stack and query its tables.

    \b
    Example:
      lora-bridge devices
      lora-bridge devices --since 7d
      lora-bridge devices --silent
    """
    if silent and since is not None:
        raise click.UsageError("--silent looks at the newest uplinks: leave out --since")
    if intervals and not silent:
        raise click.UsageError("--intervals goes with --silent")
    if silent:
        try:
            status = _show_silent(deployment, application, intervals, form)
        except BridgeError as error:
            click.echo(f"lora-bridge: {error}", err=True)
            status = _NOT_FOUND_OUT
        sys.exit(status)
    from console.show.tables import Format, render_records
    from console.store.devices import Seen, summaries, table_names
    from console.store.summary import Device

    uplinks, devices = table_names(deployment)
    every = _listed(devices, application)
    if since is None:
        seen = (Seen(each.device, each.last_seen) for each in every)
        for line in render_records(seen, Seen, _LISTED, Format(form)):
            click.echo(line)
        return
    known = list(every)
    hidden = not sys.stderr.isatty() or sys.stdout.isatty()
    counted = summaries(uplinks, known, since)
    with click.progressbar(counted, length=len(known), hidden=hidden, file=sys.stderr) as watched:
        for line in render_records(watched, Device, _DEVICE, Format(form)):
            click.echo(line)


def _show_silent(
    deployment: Deployment, application: str | None, intervals: Path | None, form: str
) -> int:
    """Print the devices that are silent; return the status."""
    from console.show.silent import intervals_of, show_silent
    from console.show.tables import Format
    from console.store.devices import table_names

    said = intervals_of(intervals)
    uplinks, devices = table_names(deployment)
    return int(show_silent(uplinks, _listed(devices, application), said, Format(form)))


def _listed(table: str, application: str | None) -> "Iterator[Listed]":
    """Yield the devices of an application, or all.

    Raises:
        BridgeError: nobody has heard of that application, or AWS does not answer.

    """
    from console.store.devices import listed

    found = listed(table, application and one_case(application))
    first = next(found, None)
    if first is not None:
        return chain([first], found)
    if application:
        raise BridgeError(f"no device of application {application} has reported")
    click.echo("no devices have reported", err=True)
    return found
