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
    OTHER_TOPIC = "topic is no event's"
    RETAINED = "retained message"
    PROTOBUF = "protobuf, not JSON"
    CHIRPSTACK_V3 = "ChirpStack v3"
    NOT_AN_EVENT = "not an event of ChirpStack v4"
    OTHER_DEVICE = "topic and deviceInfo differ"


_REMEDIES = {
    Reason.OTHER_TOPIC: "let event_topic be as in ChirpStack's configuration",
    Reason.RETAINED: "ChirpStack v4 retains nothing: remove what the broker has retained there",
    Reason.PROTOBUF: "set json = true in ChirpStack's [integration.mqtt]",
    Reason.CHIRPSTACK_V3: "only ChirpStack v4 is read",
}


def remedy(reason: Reason) -> str:
    """Return what to do about frames that are rejected for a reason."""
    look = "see 'lora-bridge rejected list'"
    return f"{_REMEDIES[reason]}, and {look}" if reason in _REMEDIES else look


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
