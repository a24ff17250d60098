"""Makes plausible frames, in both layouts, and cuts them as TCP does. Does no I/O."""

import base64
import json
import math
import random
from collections.abc import Callable, Iterable, Iterator
from itertools import count

from contract.times import format_time

APPLICATION = "37817737f13"
_FIRST_DEVICE = 0x9372163
_GATEWAYS = ("b827ebfffe000001", "b827ebfffe000002")
_FREQUENCIES = (868.1, 868.3, 868.5)
_KEEP_ALIVE_EVERY = 25  # frames
_STATUS_EVERY = 47  # frames: a prime, so that every device comes to have some
_DAY = 48  # uplinks: one each half hour, so to speak
_MAX_WRITE = 700  # bytes: some writes hold part of a frame, some several

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


def with_statuses(source: Iterable[bytes], devices: int) -> Iterator[bytes]:
    """Yield the frames; now and then one is followed by a status of its device."""
    for number, frame in enumerate(source):
        yield frame + (_status(number % devices) if number % _STATUS_EVERY == 0 else b"")


def joins(devices: int) -> bytes:
    """Return the frames that tell that each device has joined."""
    euis = [{"appeui": APPLICATION, "moteeui": device_eui(number)} for number in range(devices)]
    return b"".join(json.dumps({"join": each}).encode() + b"\0" for each in euis)


def reading(phase: int, seqno: int, rng: random.Random) -> bytes:
    """Hundredths of a degree and a percentage, as a small sensor would pack them.

    They go up and down with a period of _DAY uplinks; ``phase`` sets devices apart.
    """
    wave = math.sin(2 * math.pi * (seqno / _DAY + phase / 7))
    temperature = round(1500 + 800 * wave + rng.gauss(0, 30))
    humidity = round(60 - 25 * wave + rng.gauss(0, 2))
    return temperature.to_bytes(2, "big", signed=True) + bytes([humidity])


def pieces(data: bytes, rng: random.Random) -> Iterator[bytes]:
    """Cut ``data`` anywhere."""
    while data:
        length = rng.randint(1, _MAX_WRITE)
        yield data[:length]
        data = data[length:]


def _status(number: int) -> bytes:
    return json.dumps({"mote": {"eui": device_eui(number), "app": True}}).encode() + b"\0"


def _layout_1(device: str, seqno: int, rng: random.Random, now: int) -> Frame:
    """Put the transmission inside ``userdata``: LoRa, padding, a list of receptions."""
    userdata = {
        "seqno": seqno,
        "port": 1,
        "payload": base64.b64encode(reading(int(device, 16), seqno, rng)).decode(),
        "motetx": _motetx(rng, datr=f"SF{rng.randint(7, 12)}BW125"),
    }
    gwrx = [_reception(gateway, rng, now) for gateway in _GATEWAYS[: rng.randint(1, 2)]]
    return _app(device, userdata=userdata, gwrx=gwrx)


def _layout_2(device: str, seqno: int, rng: random.Random, now: int) -> Frame:
    """Put the transmission beside ``userdata``: FSK, no padding, one reception."""
    measured = reading(int(device, 16), seqno, rng)
    userdata = {"port": 2, "payload": base64.b64encode(measured).decode().rstrip("=")}
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
