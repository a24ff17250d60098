"""The command that reads the history of a device."""

from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.parameters import (
    TEXTS,
    deployment_option,
    device_argument,
    endpoint_options,
    folder_option,
    period,
    point,
)
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.times import format_time

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from console.show.output import Output

_NAMED = 5  # devices in an error


def _names(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[str] | None:
    if value is None:
        return None
    names = [each.strip() for each in value.split(",")]
    if not all(names):
        raise click.BadParameter("a name is empty")
    return names


@click.command()
@click.argument("device", callback=device_argument)
@click.option(
    "--since", callback=point, metavar="T", help="ISO 8601, or an age: 45s, 30m, 2h, 7d, 3w."
)
@click.option(
    "--until", callback=point, metavar="T", help="The same form; both times are inclusive."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest N.")
@click.option("--fields", callback=_names, metavar="A,B.C", help="Only these columns.")
@click.option(
    "--format",
    "form",
    type=click.Choice([*TEXTS, "parquet"]),
    default="table",
    show_default=True,
    help="json is one array, with a row on each line.",
)
@click.option(
    "--spreadsheet",
    is_flag=True,
    help="CSV that spreadsheets read as UTF-8, with ' before what they would compute.",
)
@click.option("--plot", metavar="FIELD", help="Draw a chart of a field, instead of a table.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write to a file (for --plot FILE.png or FILE.svg), or to standard output: '-'.",
)
@click.option("--follow", is_flag=True, help="Show live uplinks too, until Ctrl-C; needs --name.")
@click.option("--name", metavar="NAME", help="The consumer to connect as, for --follow.")
@folder_option
@endpoint_options
@deployment_option
def history(  # noqa: PLR0913  # a parameter for each option
    *,
    device: str,
    since: int | None,
    until: int | None,
    limit: int | None,
    fields: list[str] | None,
    form: str,
    spreadsheet: bool,
    plot: str | None,
    output: Path | None,
    follow: bool,
    name: str | None,
    folder: Path,
    endpoint: str | None,
    port: int,
    root_ca: Path | None,
    deployment: Deployment,
) -> None:
    """Show the stored uplinks of a device.

    DEVICE is APPEUI/MOTEEUI. The newest uplink comes first. In a table, rssi and lsnr are those of
    the gateway that heard the device best. Each decoded field is a column. A field inside a map
    is MAP.FIELD. A time without a zone is UTC. A date alone means 00:00.

    --follow shows the newest uplinks, the oldest of them first, and then each new one. It needs
    the key and certificate of a consumer, and connects beside the consumer's programs, as
    NAME.follow-… When it was disconnected, it says so, and shows what was stored meanwhile.

    The command needs AWS credentials that may read the LoraStore stack and query its table; with
    --follow they must read the stack of the consumer, too.

    \b
    Example:
      lora-bridge history 37817737f13/9372163 --since 7d --format csv
      lora-bridge history 37817737f13/9372163 --since 7d --plot temperature
      lora-bridge history 37817737f13/9372163 --follow --name reader
    """
    if plot and "form" in _given():
        raise click.UsageError("--plot draws: leave out --format")
    from console.show.output import Output, Period, write
    from console.store.history import END_OF_TIME, table_name

    if output == Path("-"):
        output = None
    shown = Output(fields, form, plot, output, spreadsheet)
    _check(shown)
    earliest, latest = period(since, until, END_OF_TIME)
    if not follow:
        if not write(table_name(deployment), device, Period(earliest, latest, limit), shown):
            _say_why_none(deployment, device, since, until)
        return
    if name is None:
        raise click.UsageError("--follow needs --name, the name of an enrolled consumer")
    if plot or output or form not in TEXTS:
        raise click.UsageError(
            "--follow prints a table, json or csv: leave out --plot, --output and parquet"
        )
    if since is not None or until is not None:
        raise click.UsageError(
            "--follow starts with the newest uplinks: use --limit in place of --since and --until"
        )
    from console.show.columns import choose
    from console.show.follow import Followed, follow_rows, following
    from console.show.tables import Format
    from console.store.history import stored_since, uplinks
    from console.store.live import Joining

    consumer = following(deployment, name, folder, endpoint, port, root_ca)
    table = table_name(deployment)
    followed = Followed(
        Joining(deployment, device),
        lambda count: uplinks(table, device, limit=count),
        partial(stored_since, table, device),
        partial(choose, fields=shown.fields),
    )
    follow_rows(consumer, followed, Format(form), limit)


def _say_why_none(
    deployment: Deployment, device: str, since: int | None, until: int | None
) -> None:
    """Say that a device has no uplinks in a period, or is none that has reported."""
    from console.store.devices import is_listed, listed, table_names

    devices = table_names(deployment)[1]
    known = [each.device for each in islice(listed(devices), _NAMED + 1)]
    if not known or is_listed(devices, device):
        begin = "" if since is None else f" since {format_time(since)}"
        end = "" if until is None else f" until {format_time(until)}"
        click.echo(f"no uplinks of {device} are stored{begin}{end}", err=True)
        return
    others = ", ".join(known[:_NAMED]) + " and others" * (len(known) > _NAMED)
    raise BridgeError(f"{device} has never reported; these have: {others}")


def _given() -> set[str]:
    """Return the options that were typed."""
    context = click.get_current_context()
    typed = click.core.ParameterSource.COMMANDLINE
    return {name for name in context.params if context.get_parameter_source(name) is typed}


def _check(output: "Output") -> None:
    """Complain of options that do not go together."""
    from console.show.output import PICTURES

    if output.spreadsheet and output.form != "csv":
        raise click.UsageError("--spreadsheet goes with --format csv")
    if output.form == "parquet" and not (output.path or output.plot):
        raise click.UsageError("--format parquet needs --output FILE")
    if output.plot and output.path and output.path.suffix.lower() not in PICTURES:
        raise click.UsageError("--plot writes --output FILE.png or FILE.svg")
