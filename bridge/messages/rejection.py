"""Why a frame is not forwarded. Does no I/O."""

from dataclasses import dataclass
from enum import StrEnum

EXCERPT = 120
"""Bytes of a frame that are shown in the log."""


class Reason(StrEnum):
    """Why a frame was not forwarded; the words used in logs and counts."""

    OVERSIZED = "oversized"
    TRUNCATED = "truncated"
    NOT_UTF8 = "not UTF-8"
    NOT_JSON = "not JSON"
    NESTED_TOO_DEEP = "nested too deep"
    NOT_AN_OBJECT = "not an object"
    NO_APP = "no app"
    NOT_UP = "dir is not up"
    BAD_USERDATA = "no or bad userdata"
    BAD_PORT = "port is not 0 to 255"
    BAD_PAYLOAD = "payload is not base64"
    NO_APPLICATION = "no application"
    BAD_EUI = "bad EUI"
    BAD_REQUEST = "bad request for a downlink"


class FrameRejectedError(Exception):
    """A frame that cannot become an uplink, and why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class BrokenFrame:
    """Stands for a frame that was not received whole, and begins with ``excerpt``."""

    reason: Reason
    excerpt: bytes


def excerpt(frame: bytes | BrokenFrame) -> bytes:
    """Return the beginning of a frame, for the log."""
    return frame.excerpt if isinstance(frame, BrokenFrame) else frame[:EXCERPT]
