"""The command that finds the broken link."""

import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from bridge.commands import config_option

if TYPE_CHECKING:
    from console.check.chain import Link

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415


@click.command()
@config_option
@click.option("--round-trip", is_flag=True, help="Also send a test uplink, and delete its row.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each link.")
def check(config_path: Path, *, round_trip: bool, as_json: bool) -> None:
    """Find the broken link between the configuration and the table.

    Prints a line for each link, and stops at the first broken one. That line says why, and what
    to do. The exit status is then 1. The bridge may be running: this does not disturb it.
    --round-trip needs a running bridge. It sends an uplink of the device check/CLIENT_ID through
    the bridge.

    If there are AWS credentials, it also asks AWS. They must be allowed to read the LoraStore
    stack, the certificate and the rule and, for --round-trip, to read and delete rows of the
    table.

    \b
    Example:
      lora-bridge check --config /etc/lora-bridge/bridge.toml
    """
    from console.check.chain import State, line, walk
    from console.check.links import Links

    colours = {State.WHOLE: "green", State.BROKEN: "red"}
    broken = False
    with closing(Links(config_path, lambda: datetime.now(UTC)).all(round_trip=round_trip)) as links:
        for finding in walk(map(_announced, links), time.monotonic):
            if as_json:
                click.echo(msgspec.json.encode(finding))
            else:
                click.secho(line(finding), fg=colours.get(finding.state))
            broken = finding.state is State.BROKEN
    sys.exit(1 if broken else 0)


def _announced(link: "Link") -> "Link":
    """Say on a terminal what is being looked at, as long as it takes."""
    name, look = link

    def announced() -> str:
        if not sys.stderr.isatty():
            return look()
        click.echo(f"… {name}", nl=False, err=True)
        try:
            return look()
        finally:
            click.echo("\r\x1b[K", nl=False, err=True)

    return name, announced
