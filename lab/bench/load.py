"""The frames that every contender gets, and how to know each uplink again at the other end."""

import base64
import random
import re
import time
from collections.abc import Iterable, Iterator
from itertools import islice

from bridge.messages.rejection import FrameRejectedError
from console.simulate.frames import frames
from lab.rig.uplinks import uplink_of

DEVICES = 100
"""That the uplinks are of, in turn."""
_READING = re.compile(rb'("payload": ")[^"]{4}(")')
_NUMBER_BYTES = 3  # as many as a simulated reading has: base64 without padding in every layout
_BYTES = re.compile(rb'"port\d+_bytes":\[([\d,]+)\]')  # as msgspec and JSON.stringify write it
_DATA = re.compile(rb'"data":"([\w+/]{4})"')  # as ChirpStack writes it


def numbered_frames(count: int) -> list[bytes]:
    """Return the first ``count`` of ``numbered``."""
    return list(islice(numbered(), count))


def numbered() -> Iterator[bytes]:
    """Return endless simulated frames, each with its NUL, whose readings count from 0.

    The number is the one part that every contender passes on, whatever its form of message.
    There are no keep-alives among them, which a network server sends when it has no frames.
    """
    # The same frames every time, but for their times.
    rng = random.Random(1)  # noqa: S311  # no secret comes of it
    simulated = frames(DEVICES, rng, lambda: time.time_ns() // 1000)
    return (_with_reading(frame, number) for number, frame in enumerate(simulated))


def uplink_number(payload: bytes) -> int | None:
    """Return the uplink's number in what was delivered: a message, a raw frame, or a raw event.

    None if it is no uplink.
    """
    if found := _BYTES.search(payload):
        return int.from_bytes(bytes(map(int, found[1].split(b","))), "big")
    if found := _DATA.search(payload):
        return int.from_bytes(base64.b64decode(found[1]), "big")
    try:
        return int.from_bytes(uplink_of(payload).data, "big")
    except (FrameRejectedError, TypeError):
        return None


def reading_of(number: int) -> bytes:
    """Return a number as the reading of an uplink, in base64."""
    return base64.b64encode(number.to_bytes(_NUMBER_BYTES, "big"))


def _with_reading(frame: bytes, number: int) -> bytes:
    return _READING.sub(rb"\g<1>" + reading_of(number) + rb"\g<2>", frame.lstrip(b"\0"))


def distinct(deliveries: Iterable[tuple[str, bytes]]) -> int:
    """Return how many different uplinks are among deliveries, each a topic and a payload."""
    numbers = {uplink_number(payload) for _, payload in deliveries}
    return len(numbers - {None})
