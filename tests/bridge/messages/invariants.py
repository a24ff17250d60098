"""What must hold for any bytes that a network server's connection brings. No pytest in here."""

import base64
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from bridge.messages import message
from bridge.messages.event import Notice
from bridge.messages.message import Message
from bridge.messages.rejection import BrokenFrame, FrameRejectedError, Reason
from bridge.messages.timestamper import Timestamper
from bridge.messages.uplink import Json, Uplink
from bridge.sources.semtech import frames
from bridge.sources.semtech.framing import Framer
from contract.deployment import UNNAMED
from contract.eui import EUI_PATTERN
from contract.times import format_time, parse_time

LIMITS = (256, 65_536)
"""The least and the usual ``max_frame``."""

NOW = 1_444_910_000_000_000
"""The host's clock, 2015-10-15T11:53:20Z: two minutes after the corpus's gateways."""

_APPLICATION = "37817737f13"
_LAST_CLOCK = (1 << 63) // 1000  # a host counts nanoseconds in 64 bits: to the year 2262

_DAY = 86_400_000_000
_FIVE_MINUTES = 300_000_000

_TOPIC = re.compile(f"lora/{EUI_PATTERN}/{EUI_PATTERN}(/event/[a-z]+)?")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


def check_stream(stream: bytes) -> list[Message]:
    """Take ``stream`` all the way; return the messages it became when nothing was wrong."""
    short, usual = (check_framing(stream, limit) for limit in LIMITS)
    assert [_shortened(frame) for frame in usual] == short
    frames = [frame for frame in usual if isinstance(frame, bytes)]
    return [made for frame in frames for made in check_frame(frame)]


def check_framing(stream: bytes, limit: int) -> list[bytes | BrokenFrame]:
    """Return the frames of ``stream``, the same in one read and in many.

    The smallest reads are of one byte where the stream is short, and few enough to be quick.
    """
    whole, end = _framed(stream, limit, max(len(stream), 1))
    for size in (len(stream) // 256 + 1, 255, 257):
        assert _framed(stream, limit, size) == (whole, end)
    return whole


def check_frame(frame: bytes) -> list[Message]:
    """Return the messages of ``frame`` under each application and clock that it may meet."""
    return [made for application in (None, _APPLICATION) for made in _check_as(frame, application)]


def _framed(
    stream: bytes, limit: int, size: int
) -> tuple[list[bytes | BrokenFrame], BrokenFrame | None]:
    """Return the frames of ``stream`` in reads of ``size``, and what its end cut off."""
    framer = Framer(limit)
    frames: list[bytes | BrokenFrame] = []
    for start in range(0, len(stream), size):
        frames += framer.feed(stream[start : start + size])
        assert len(framer._tail) <= limit  # noqa: SLF001  # memory is the behaviour
    return frames, framer.end()


def _check_as(frame: bytes, application: str | None) -> Iterator[Message]:
    uplink = _parsed(frame, application)
    again = _parsed(frame, application)
    with deeper():
        assert again == uplink
    if not isinstance(uplink, Uplink):
        return
    with deeper():
        app = cast("dict[str, dict[str, dict[str, str]]]", json.loads(frame))["app"]
        assert uplink.data == base64.b64decode(app["userdata"]["payload"] + "==")
    for time in uplink.received_at:
        assert parse_time(format_time(time)) == time
    for now in (NOW, *(time for time in uplink.received_at[:1] if 0 <= time <= _LAST_CLOCK)):
        timestamp = _check_placement(uplink, now)
        try:
            made = message.build(uplink, timestamp, UNNAMED)
        except FrameRejectedError as error:
            assert error.reason in {Reason.NESTED_TOO_DEEP, Reason.OVERSIZED}
            continue
        _check_message(made, uplink)
        yield made


def _check_placement(uplink: Uplink, now: int) -> int:
    """Return the timestamp, which a repetition gets again where a gateway's time is plausible."""
    plausible = [time for time in uplink.received_at if -_DAY <= time - now <= _FIVE_MINUTES]
    timestamper = Timestamper()
    first = timestamper.place(uplink, now)
    again = timestamper.place(uplink, now)
    assert first.given in (plausible or [now])
    assert again.given == first.given + (0 if plausible else 1)
    return first.given


def check_published(made: Message) -> dict[str, Json]:
    """Return the fields of a message, but for its timestamp, when it has the form of all."""
    assert _TOPIC.fullmatch(made.topic)
    assert len(made.topic.encode()) <= 256
    assert len(made.payload) <= 131_072
    assert not re.search(rb"\s", _STRING.sub(b"", made.payload))
    with deeper():
        fields = cast("dict[str, Json]", json.loads(made.payload.decode()))
    assert _TIMESTAMP.fullmatch(str(fields.pop("timestamp")))
    return fields


def _check_message(made: Message, uplink: Uplink) -> None:
    assert made.topic.count("/") == 2
    fields = check_published(made)
    with deeper():
        assert fields.pop(f"port{uplink.port}_bytes") == list(uplink.data)
        assert fields.pop("seqno", None) == uplink.seqno
        assert fields.pop("motetx", None) == uplink.motetx
        assert fields.pop("gwrx", []) == list(uplink.gwrx)
        assert not fields


def _parsed(frame: bytes, application: str | None) -> Uplink | Notice | Reason | None:
    try:
        return frames.parse(frame, application)
    except FrameRejectedError as error:
        return error.reason


def _shortened(frame: bytes | BrokenFrame) -> bytes | BrokenFrame:
    """Return what becomes of ``frame`` under the least limit."""
    if isinstance(frame, BrokenFrame) or len(frame) <= LIMITS[0]:
        return frame
    return BrokenFrame(Reason.OVERSIZED, frame[:120])


@contextmanager
def deeper() -> Iterator[None]:
    """Let the check go a little deeper into nested JSON than the bridge did."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 100)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
