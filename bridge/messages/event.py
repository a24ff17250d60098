"""What happened to a device beside its uplinks, and the message that tells it. Does no I/O."""

import msgspec

from bridge.messages.downlink import Answer
from bridge.messages.message import MAX_PAYLOAD, Message
from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.messages.uplink import Json, JsonObject
from contract.names import EVENT_TYPE, SORT_KEY, EventType
from contract.times import format_time


class DeviceEvent(msgspec.Struct, frozen=True):
    """What a network server tells of a device, whose EUI is checked.

    ``source`` is the name of its kind. ``application`` is None where the server does not say it.
    ``fields`` are what the event has beside its type, timestamp and source. ``time`` and
    ``identity`` are as those of an uplink.
    """

    source: str
    kind: EventType
    application: str | None
    device: str
    fields: JsonObject
    time: int | None = None
    identity: str | None = None


class Notice(msgspec.Struct, frozen=True):
    """What a frame tells that is no uplink: of devices, and of their downlinks."""

    events: tuple[DeviceEvent, ...] = ()
    answers: tuple[Answer, ...] = ()


def build_event(
    topic: str, kind: EventType, timestamp: int, source: str, fields: JsonObject
) -> Message:
    """Return the message of an event; the timestamp is in microseconds since 1970.

    Raises:
        FrameRejectedError: its payload would be too large, or is nested too deep to write.

    """
    content: dict[str, Json] = {
        EVENT_TYPE: kind.value,
        SORT_KEY: format_time(timestamp),
        "source": source,
    }
    try:
        payload = msgspec.json.encode({**content, **fields, **content})
    except RecursionError:
        raise FrameRejectedError(Reason.NESTED_TOO_DEEP) from None
    if len(payload) > MAX_PAYLOAD:
        raise FrameRejectedError(Reason.OVERSIZED)
    return Message(topic, payload)
