"""Plays a network server: plausible frames in both layouts, written as TCP delivers them."""

import base64
import json
import math
import random
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice

import click

from console.parameters import MAX_PORT, finite
from contract.errors import BridgeError
from contract.times import format_time

APPLICATION = "37817737f13"
_FIRST_DEVICE = 0x9372163
_GATEWAYS = ("b827ebfffe000001", "b827ebfffe000002")
_FREQUENCIES = (868.1, 868.3, 868.5)
_KEEP_ALIVE_EVERY = 25  # frames
_DAY = 48  # uplinks: one each half hour, so to speak
_MAX_WRITE = 700  # bytes: some writes hold part of a frame, some several
_TICK = 0.02  # seconds between bursts of writes
_CLOSE_LIMIT = 30.0  # seconds for the bridge to read what was written

Frame = dict[str, object]


def device_eui(number: int) -> str:
    """Return the EUI of a simulated device, counted from 0."""
    return format(_FIRST_DEVICE + number, "x")


def frames(devices: int, rng: random.Random, now: Callable[[], int]) -> Iterator[bytes]:
    """Yield frames, each with its NUL, of one device after the other; some are keep-alives.

    ``now`` returns microseconds since 1970. Keep-alives are a NUL alone, and do not count.
    """
    for number in count():
        seqno, device = divmod(number, devices)
        build = _layout_1 if device % 2 == 0 else _layout_2
        frame = build(device_eui(device), seqno + 1, rng, now())
        keep_alive = b"\0" if number % _KEEP_ALIVE_EVERY == 0 else b""
        yield keep_alive + json.dumps(frame).encode() + b"\0"


def pieces(data: bytes, rng: random.Random) -> Iterator[bytes]:
    """Cut ``data`` anywhere."""
    while data:
        length = rng.randint(1, _MAX_WRITE)
        yield data[:length]
        data = data[length:]


@dataclass(frozen=True)
class Plan:
    """What to send: ``rate`` frames a second, ``total`` of them or, if None, for ever."""

    host: str
    port: int
    devices: int
    rate: float
    total: int | None


def send(plan: Plan, progress: Callable[[int], object]) -> None:
    """Send the frames; ``progress`` is told how many each round of writes added.

    Raises:
        BridgeError: nobody listens there, or the connection broke.

    """
    where = f"{plan.host}:{plan.port}"
    # The same frames every time, but for their times.
    rng = random.Random(1)  # noqa: S311  # no secret comes of it
    sent = 0
    try:
        with socket.create_connection((plan.host, plan.port)) as connection:
            for batch in _paced(plan, rng):
                for piece in pieces(b"".join(batch), rng):
                    connection.sendall(piece)
                sent += len(batch)
                progress(len(batch))
            _finish(connection)
    except OSError as error:
        reason = f"{where}: {error.strerror or error} after {sent} frames"
        hint = ": is the bridge running?" if isinstance(error, ConnectionError) else ""
        raise BridgeError(reason + hint) from None


def _paced(plan: Plan, rng: random.Random) -> Iterator[list[bytes]]:
    source = islice(frames(plan.devices, rng, lambda: time.time_ns() // 1000), plan.total)
    started = time.monotonic()
    taken = 0
    while True:
        due = int((time.monotonic() - started) * plan.rate) + 1 - taken
        batch = list(islice(source, due))
        taken += len(batch)
        if batch:
            yield batch
        if taken == plan.total:
            return
        time.sleep(_TICK)


def _finish(connection: socket.socket) -> None:
    """Wait until the other side has read everything, which it shows by closing."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(_CLOSE_LIMIT)
    with suppress(TimeoutError):
        connection.recv(1)


def _layout_1(device: str, seqno: int, rng: random.Random, now: int) -> Frame:
    """Put the transmission inside ``userdata``: LoRa, padding, a list of receptions."""
    userdata = {
        "seqno": seqno,
        "port": 1,
        "payload": base64.b64encode(_reading(device, seqno, rng)).decode(),
        "motetx": _motetx(rng, datr=f"SF{rng.randint(7, 12)}BW125"),
    }
    gwrx = [_reception(gateway, rng, now) for gateway in _GATEWAYS[: rng.randint(1, 2)]]
    return _app(device, userdata=userdata, gwrx=gwrx)


def _layout_2(device: str, seqno: int, rng: random.Random, now: int) -> Frame:
    """Put the transmission beside ``userdata``: FSK, no padding, one reception."""
    userdata = {
        "port": 2,
        "payload": base64.b64encode(_reading(device, seqno, rng)).decode().rstrip("="),
    }
    return _app(
        device,
        seqno=seqno,
        token=seqno,
        userdata=userdata,
        motetx=_motetx(rng, datr=50_000),
        gwrx=_reception(_GATEWAYS[0], rng, now),
    )


def _app(device: str, **fields: object) -> Frame:
    return {"app": {"appeui": APPLICATION, "moteeui": device, "dir": "up", **fields}}


def _reading(device: str, seqno: int, rng: random.Random) -> bytes:
    """Hundredths of a degree and a percentage, as a small sensor would pack them.

    They go up and down with a period of _DAY uplinks, at each device with another phase.
    """
    wave = math.sin(2 * math.pi * (seqno / _DAY + int(device, 16) / 7))
    temperature = round(1500 + 800 * wave + rng.gauss(0, 30))
    humidity = round(60 - 25 * wave + rng.gauss(0, 2))
    return temperature.to_bytes(2, "big", signed=True) + bytes([humidity])


def _motetx(rng: random.Random, datr: str | int) -> Frame:
    return {"freq": rng.choice(_FREQUENCIES), "datr": datr, "codr": "4/5", "adr": True}


def _reception(gateway: str, rng: random.Random, now: int) -> Frame:
    return {
        "eui": gateway,
        "time": format_time(now - rng.randint(1000, 5000)),
        "timefromgateway": True,
        "chan": rng.randint(0, 7),
        "rfch": 0,
        "rssi": rng.randint(-120, -40),
        "lsnr": rng.randint(-150, 100) / 10,
    }


def _address(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not (host and re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) <= MAX_PORT):
        raise click.BadParameter(f"{value!r} is not HOST:PORT with a port from 1 to {MAX_PORT}")
    return host.strip("[]"), int(port)  # [::1]:6500 is how IPv6 is written


@click.command()
@click.option(
    "--connect",
    callback=_address,
    default="127.0.0.1:6500",
    metavar="HOST:PORT",
    show_default=True,
    help="Where the bridge listens.",
)
@click.option(
    "--devices", type=click.IntRange(1), default=10, show_default=True, help="How many devices."
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    callback=finite,
    default=10.0,
    show_default=True,
    help="Frames a second.",
)
@click.option("--count", type=click.IntRange(1), help="How many frames; without it, until Ctrl-C.")
def simulate(connect: tuple[str, int], devices: int, rate: float, count: int | None) -> None:
    """Play the network server: send plausible frames to the bridge.

    It uses both layouts of frames, and sends keep-alives. It joins and splits frames as TCP may.

    \b
    Example:
      lora-bridge simulate --devices 20 --rate 50 --count 1000
    """
    sent = 0

    def progress(added: int) -> None:
        nonlocal sent
        sent += added
        if sys.stderr.isatty():
            of = f" of {count}" if count else ""
            click.echo(f"\r{sent}{of} frames sent ", nl=False, err=True)

    with suppress(KeyboardInterrupt):  # without --count, the way to end it
        send(Plan(*connect, devices, rate, count), progress)
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(f"sent={sent} devices={devices}")
