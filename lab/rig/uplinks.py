"""Parses frames that are known to hold an uplink."""

from bridge.messages.uplink import Uplink
from bridge.sources.semtech.frames import parse


def uplink_of(frame: bytes, application: str | None = None) -> Uplink:
    """Return the uplink of a frame, given without its NUL.

    Raises:
        TypeError: it holds none.

    """
    parsed = parse(frame, application)
    if not isinstance(parsed, Uplink):
        raise TypeError(f"no uplink: {frame!r}")
    return parsed
