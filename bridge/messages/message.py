"""Builds the MQTT message of an uplink: the form that consumers and the rule read. No I/O."""

import msgspec

from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.messages.uplink import Json, Uplink
from contract.deployment import Deployment
from contract.names import SORT_KEY, device_of
from contract.times import format_time, parse_time

MAX_PAYLOAD = 131_072
"""Bytes; AWS IoT closes the connection on a larger one (AWS IoT Core quotas, message size)."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """What is published: topic and payload (compact JSON)."""

    topic: str
    payload: bytes

    @property
    def device(self) -> str:
        """The device that it is about, ``APPEUI/MOTEEUI``: its messages keep their order."""
        return device_of(self.topic)


class _Known(msgspec.Struct):
    timestamp: str = ""
    seqno: int | None = None


_known = msgspec.json.Decoder(_Known)


def time_of(payload: bytes) -> int | None:
    """Return the timestamp of a message, in microseconds since 1970; None where it has none."""
    try:
        return parse_time(_known.decode(payload).timestamp)
    except msgspec.DecodeError:
        return None


def seqno_of(payload: bytes) -> int | None:
    """Return the seqno of a message, None where it has none."""
    try:
        return _known.decode(payload).seqno
    except msgspec.DecodeError:
        return None


def build(uplink: Uplink, timestamp: int, deployment: Deployment) -> Message:
    """Return the message for ``uplink``, whose timestamp is in microseconds since 1970.

    Its topic is that of the ``deployment`` that it is for.

    Raises:
        FrameRejectedError: its payload would be too large, or is nested too deep to write.

    """
    fields: dict[str, Json] = {
        f"port{uplink.port}_bytes": list(uplink.data),
        SORT_KEY: format_time(timestamp),
    }
    if uplink.seqno is not None:
        fields["seqno"] = uplink.seqno
    if uplink.motetx is not None:
        fields["motetx"] = uplink.motetx
    if uplink.gwrx:
        fields["gwrx"] = uplink.gwrx
    fields |= uplink.more
    try:
        payload = msgspec.json.encode(fields)
    except RecursionError:
        raise FrameRejectedError(Reason.NESTED_TOO_DEEP) from None
    if len(payload) > MAX_PAYLOAD:
        raise FrameRejectedError(Reason.OVERSIZED)
    return Message(deployment.uplink_topic(f"{uplink.application}/{uplink.device}"), payload)
