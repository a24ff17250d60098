"""The command that reads what all devices have done."""

import sys
from itertools import chain
from pathlib import Path

import click

from console.parameters import deployment_option, format_option, point
from contract.deployment import Deployment
from contract.eui import one_case

# The modules behind the command are imported when it runs, see console/show/commands.py.
# ruff: noqa: PLC0415

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

    For each device it prints last_seen: the device's newest uplink came then, or up to three hours
    later. This reads the list of devices alone, and is quick for a million of them.

    With --since it prints the time of the last uplink and, for the period, how many uplinks came,
    how many seqnos are missing, and the best RSSI and SNR. This reads the uplinks of the period,
    with a query for each device that may have sent any. Of a device that has sent none, the last
    uplink may be up to three hours later than the time that is printed.

    With --silent it prints the devices that have missed three uplinks or more, the longest silent
    first: since when, how often the device usually reports, and how many uplinks it has missed.
    How often it reports is learnt from its last uplinks, with a query for each device, or set in
    intervals.toml. The exit status is 1 if any device is silent.

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
    from console.show.silent import intervals_of, show_silent
    from console.show.tables import Format, render_records
    from console.store.devices import Seen, listed, summaries, table_names
    from console.store.summary import Device

    said = intervals_of(intervals) if silent else None
    uplinks, devices = table_names(deployment)
    found = listed(devices, application and one_case(application))
    first = next(found, None)
    if first is None:
        click.echo("no devices have reported", err=True)
    every = chain([] if first is None else [first], found)
    if said is not None:
        sys.exit(1 if show_silent(uplinks, every, said, Format(form)) else 0)
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
