"""What several commands ask for, and the one line that a mistake in it ends in."""

import math
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import click

from contract.deployment import UNNAMED, Deployment
from contract.eui import is_device, one_case
from contract.names import check_identity_name
from contract.times import parse_span, parse_time

MAX_PORT = 65_535
TEXTS = ("table", "json", "csv")
_P = ParamSpec("_P")


def parse_point(text: str, now: int) -> int:
    """Return the time that ``text`` names, in microseconds since 1970; ``now`` likewise.

    Raises:
        ValueError: it is neither ISO 8601 nor an age.

    """
    age = parse_span(text)
    if age is not None:
        return max(0, now - age)
    time = parse_time(text)
    if time is None:
        raise ValueError(f"{text!r} is neither ISO 8601 nor an age such as 45m, 2h or 7d")
    return time


def _name(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else check_identity_name(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def point(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """Read a point in time: microseconds since 1970."""
    try:
        return None if value is None else parse_point(value, time.time_ns() // 1000)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def period(since: int | None, until: int | None, end: int) -> tuple[int, int]:
    """Return the first and the last moment that the options name, in microseconds since 1970.

    Without ``until`` the period ends at ``end``.

    Raises:
        click.UsageError: the period ends before it begins.

    """
    first, last = since or 0, end if until is None else until
    if first > last:
        raise click.UsageError("--since is later than --until")
    return first, last


def device_argument(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Read ``APPEUI/MOTEEUI``."""
    if not is_device(value):
        raise click.BadParameter(f"{value!r} is not APPEUI/MOTEEUI")
    return "/".join(map(one_case, value.split("/")))


def finite(_ctx: click.Context, _param: click.Parameter, value: float) -> float:
    """Read a number: neither infinite nor NaN."""
    if not math.isfinite(value):
        raise click.BadParameter("not a finite number")
    return value


def _host_name(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[A-Za-z0-9.-]+", value):
        raise click.BadParameter(f"{value!r} is not a host name alone")
    return value


def _deployment(_ctx: click.Context, _param: click.Parameter, value: str) -> Deployment:
    try:
        return Deployment(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def deployment_option(command: Callable[_P, None]) -> Callable[_P, None]:
    """Add ``--deployment``, a ``Deployment``: the one without a name if nothing is said."""
    return click.option(
        "--deployment",
        envvar="LORA_DEPLOYMENT",
        show_envvar=True,
        callback=_deployment,
        is_eager=True,  # what other options may be depends on it
        default="",
        metavar="NAME",
        help="Which deployment, if it has a name.",
    )(command)


def folder_option(command: Callable[_P, None]) -> Callable[_P, None]:
    """Add ``--dir``, which is called ``folder``."""
    return click.option(
        "--dir",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=".",
        metavar="DIR",
        show_default=True,
        help="The folder of the key and the certificate.",
    )(command)


def format_option(command: Callable[_P, None]) -> Callable[_P, None]:
    """Add ``--format``, of those that need no file, which is called ``form``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(TEXTS),
        default="table",
        show_default=True,
    )(command)


def identity_options(command: Callable[_P, None]) -> Callable[_P, None]:
    """Add ``--name`` and ``--dir``."""
    return click.option(
        "--name",
        required=True,
        callback=_name,
        metavar="NAME",
        help="Name of the bridge or consumer: letters, digits and '-'.",
    )(folder_option(command))


def identity_arguments(name: str, folder: Path, deployment: Deployment = UNNAMED) -> str:
    """Return the options that name an identity, to be typed."""
    where = f" --dir {folder}" if folder != Path() else ""
    which = f" --deployment {deployment.name}" if deployment.name else ""
    return f"--name {name}{where}{which}"


def endpoint_options(command: Callable[_P, None]) -> Callable[_P, None]:
    """Add ``--endpoint``, ``--port`` and ``--root-ca``."""
    command = click.option(
        "--root-ca",
        type=click.Path(dir_okay=False, exists=True, path_type=Path),
        metavar="FILE",
        help="CA of the endpoint (PEM); without it, the system's CAs.",
    )(command)
    command = click.option(
        "--port",
        type=click.IntRange(1, MAX_PORT),
        default=8883,
        show_default=True,
        help="MQTT port of the endpoint.",
    )(command)
    return click.option(
        "--endpoint",
        callback=_host_name,
        metavar="HOST",
        help="AWS IoT endpoint; without it, AWS is asked.",
    )(command)
