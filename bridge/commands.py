"""The command that runs the bridge."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import click

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415

_P = ParamSpec("_P")


def config_option(command: Callable[_P, None]) -> Callable[_P, None]:
    """Add ``--config``, which is called ``config_path``."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(dir_okay=False, path_type=Path),
        default="bridge.toml",
        metavar="FILE",
        show_default=True,
        help="The configuration, which 'enroll' writes.",
    )(command)


@click.command()
@config_option
@click.option(
    "--log-format",
    type=click.Choice(["human", "json"]),
    help="By default human on a terminal, else json.",
)
@click.option(
    "--log-level",
    type=click.Choice(["error", "warning", "info", "debug"]),
    default="info",
    show_default=True,
    help="How much is logged; debug follows each uplink, with its payload.",
)
def run(config_path: Path, log_format: str | None, log_level: str) -> None:
    """Forward the network server's frames to AWS IoT.

    Runs until SIGTERM, SIGINT or SIGHUP. Each frame is kept on disk until AWS IoT has acknowledged
    it. The log goes to standard error.

    \b
    Example:
      lora-bridge run --config /etc/lora-bridge/bridge.toml
    """
    from bridge.config import load
    from bridge.logs import LogFormat, LogLevel, log_to_stderr
    from bridge.service import serve

    with log_to_stderr(LogFormat(log_format) if log_format else None, LogLevel(log_level)):
        asyncio.run(serve(load(config_path)))
