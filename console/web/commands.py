"""The command that serves the pages."""

import secrets
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import click

from bridge.commands import config_option
from console.parameters import MAX_PORT, deployment_option, folder_option
from contract.deployment import Deployment
from contract.errors import BridgeError

# The modules behind the command are imported when it runs: --help stays quick, and other commands
# need none of its libraries.
# ruff: noqa: PLC0415


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, MAX_PORT),
    default=6590,
    show_default=True,
    help="The port on 127.0.0.1; 0 is any that is free.",
)
@click.option("--open", "opened", is_flag=True, help="Open the page in the browser.")
@config_option
@click.option(
    "--intervals",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="How often devices report, where you say it.  [default: intervals.toml, if it is here]",
)
@click.option("--name", metavar="NAME", help="The consumer to connect as, for live uplinks.")
@folder_option
@click.option("--endpoint", metavar="HOST", help="AWS IoT endpoint; without it, AWS is asked.")
@click.option(
    "--mqtt-port",
    type=click.IntRange(1, MAX_PORT),
    default=8883,
    show_default=True,
    help="MQTT port of the endpoint.",
)
@click.option(
    "--root-ca",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE",
    help="CA of the endpoint (PEM); without it, the system's CAs.",
)
@deployment_option
def web(  # noqa: PLR0913  # a parameter for each option
    *,
    port: int,
    opened: bool,
    config_path: Path,
    intervals: Path | None,
    name: str | None,
    folder: Path,
    endpoint: str | None,
    mqtt_port: int,
    root_ca: Path | None,
    deployment: Deployment,
) -> None:
    """Show the path, the devices and what went wrong as pages in your browser.

    The pages are on this machine alone, at 127.0.0.1. The address that this prints has a token in
    it: whoever has it may do what your AWS credentials may. Ends with Ctrl-C.

    The pages read what the other commands read, with the same rights. Nothing is written without a
    click. With the configuration of a bridge they also show the path from its network server on.
    With --name and the key and certificate of a consumer, new uplinks come by MQTT; without them
    the page of a device asks the table every few seconds.

    Needs: pip install '.[web]'

    \b
    Example:
      lora-bridge web --open
      lora-bridge web --config /etc/lora-bridge/bridge.toml --name reader
    """
    try:
        from console.web.app import application
        from console.web.guard import Door
        from console.web.opening import leading_to
        from console.web.server import hurry, listen, serve
    except ModuleNotFoundError as error:
        raise BridgeError(f"{error.name} is not installed: pip install '.[web]'") from None
    from console.show.follow import following
    from console.show.silent import intervals_of
    from console.store.devices import table_names
    from console.web.site import Site
    from console.web.watcher import Watcher

    hurry()
    known = intervals_of(intervals)
    consumer = None
    if name is not None:
        consumer = partial(following, deployment, name, folder, endpoint, mqtt_port, root_ca)
        consumer()  # complain now rather than on a page
    tables = table_names(deployment)
    with listen(port) as listening, Watcher(tables, known, _now) as watcher:
        door = Door(listening.getsockname()[1], *(secrets.token_urlsafe(24) for _ in range(2)))
        site = Site(
            deployment,
            tables[0],
            known,
            watcher,
            config_path if config_path.is_file() else None,
            consumer,
            _now,
        )
        click.echo(f"{door.address}\nCtrl-C ends this.")
        with leading_to(door.address) if opened else nullcontext():
            serve(application(site, door), listening)


def _now() -> int:
    return time.time_ns() // 1000
