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
    from collections.abc import Generator

    from console.check.chain import Link

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415


@click.command()
@config_option
@click.option(
    "--settings",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The settings of the deployment.  [default: lora.toml, if it is here]",
)
@click.option("--round-trip", is_flag=True, help="Also send a test uplink, and delete its row.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each link.")
def check(config_path: Path, settings: Path | None, *, round_trip: bool, as_json: bool) -> None:
    """Find the broken link between the configuration and the table.

    Prints a line for each link, and stops at the first broken one. That line says why, and what
    to do. The exit status is then 1. The bridge may be running: this does not disturb it.
    --round-trip needs a running bridge. It sends an uplink of the device check/CLIENT_ID through
    the bridge.

    For a ChirpStack server it looks at the broker, and waits up to 5 seconds for an event.

    If there are AWS credentials, it also asks AWS. They must be allowed to read the stacks, the
    certificate and the rule and, for --round-trip, to read and delete rows of the table.

    The last link compares the settings in lora.toml with those that were deployed. Where you
    deploy and no bridge runs, name the file with --settings: without a configuration, that is all
    this looks at.

    \b
    Example:
      lora-bridge check --config /etc/lora-bridge/bridge.toml
      lora-bridge check --settings lora.toml
    """
    from console.check.chain import State, line, walk

    colours = {State.WHOLE: "green", State.BROKEN: "red"}
    broken = False
    with closing(_links(config_path, settings, round_trip=round_trip)) as links:
        for finding in walk(map(_announced, links), time.monotonic):
            if as_json:
                click.echo(msgspec.json.encode(finding))
            else:
                click.secho(line(finding), fg=colours.get(finding.state))
            broken = finding.state is State.BROKEN
    sys.exit(1 if broken else 0)


def _links(
    config_path: Path, settings: Path | None, *, round_trip: bool
) -> "Generator[Link, None, None]":
    """Yield the chain, and the link of the settings, which belongs to no bridge."""
    from console.check.links import Links
    from console.check.settings import compared

    if settings is None or config_path.exists():
        yield from Links(config_path, lambda: datetime.now(UTC)).all(round_trip=round_trip)
    yield "settings", lambda: compared(settings)


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
