"""Parses what comes on the topics of ChirpStack's events. Does no I/O."""

import re

import msgspec

from bridge.config import ChirpStack
from bridge.messages.event import Notice
from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.messages.uplink import Uplink, check_eui, decoding_reason
from bridge.sources.chirpstack import form
from bridge.sources.chirpstack.form import Device, Event, Kind, Reader
from bridge.sources.chirpstack.notices import notice, other
from bridge.sources.chirpstack.topics import EventTopic, Place
from bridge.sources.chirpstack.uplinks import uplink
from contract.eui import one_case

_READERS: dict[str, Reader[Event]] = {
    Kind.UP: Reader(form.Up),
    Kind.JOIN: Reader(form.Join),
    Kind.ACK: Reader(form.Ack),
    Kind.TXACK: Reader(form.TxAck),
    Kind.STATUS: Reader(form.Status),
    Kind.LOCATION: Reader(form.Location),
    Kind.LOG: Reader(form.Log),
}
_ANY = Reader(Event)
_OF_V3 = re.compile(rb'"(applicationID|devEUI)"\s*:')


class Read(msgspec.Struct, frozen=True, gc=False):
    """What came, and whose it is: the device's own EUI and its applications, ours and ChirpStack's.

    ``content`` is None for a kind that is not forwarded.
    """

    content: Uplink | Notice | None
    application: str
    device: str
    application_id: str


class Parser:
    """Parses the events of a server. With ``others``, kinds that are not known are told, too."""

    def __init__(self, settings: ChirpStack, *, others: bool = False) -> None:
        self._settings = settings
        self._others = others
        self._topic = EventTopic(settings.event_topic)
        self._applications = {
            key.lower(): one_case(name) for key, name in settings.applications.items()
        }

    @property
    def filter(self) -> str:
        """The topic filter of all events."""
        return self._topic.filter

    def takes(self, topic: str) -> bool:
        """Say whether a topic is of its events."""
        return self._topic.place(topic) is not None

    def read(self, topic: str, frame: bytes, *, retained: bool = False) -> Read:
        """Return what came on a topic.

        Raises:
            FrameRejectedError: with the reason.

        """
        if retained:
            raise FrameRejectedError(Reason.RETAINED)
        place = self._topic.place(topic)
        if place is None:
            raise FrameRejectedError(Reason.OTHER_TOPIC)
        event = _event(_READERS.get(place.event, _ANY), frame)
        _require_same(place, event.device_info)
        application = self._application(event.device_info)
        device = check_eui(event.device_info.dev_eui)
        content = self._content(place.event, event, application, device, frame)
        return Read(content, application, device, event.device_info.application_id)

    def _content(
        self, kind: str, event: Event, application: str, device: str, frame: bytes
    ) -> Uplink | Notice | None:
        if isinstance(event, form.Up):
            return uplink(event, application, device, self._settings.keep)
        if kind in _READERS:
            return notice(event, application, device)
        if self._others:
            return other(kind, event, application, device, _text(frame))
        return None

    def _application(self, device: Device) -> str:
        """Return the application: what a tag holds, or else the configuration, or else its id.

        The id is checked in any case: it becomes a level of the topics of commands.
        """
        own = check_eui(device.application_id)
        tag = self._settings.application_tag
        tagged = device.tags.get(tag, "") if tag is not None else ""
        if tagged:
            return check_eui(tagged)
        return self._applications.get(device.application_id.lower(), own)


def _event(reader: Reader[Event], frame: bytes) -> Event:
    try:
        return reader.read(frame)
    except RecursionError:
        raise FrameRejectedError(Reason.NESTED_TOO_DEEP) from None
    except msgspec.ValidationError:
        v3 = _OF_V3.search(frame) is not None
        raise FrameRejectedError(Reason.CHIRPSTACK_V3 if v3 else Reason.NOT_AN_EVENT) from None
    except (msgspec.DecodeError, ValueError):
        raise FrameRejectedError(_why_no_json(frame)) from None


def _why_no_json(frame: bytes) -> Reason:
    """Return why a frame is not read. Protobuf begins with the tag of the first field that is set.

    Of these tags only the newline could begin JSON.
    """
    return Reason.PROTOBUF if frame[:1] in _TAGS else decoding_reason(frame)


_TAGS = {bytes([number << 3 | 2]) for number in (1, 2, 3)} | {bytes([1 << 3])}
"""Fields 1 to 3 with a length, one of which each event has, and field 1 that is a number, as of
txack (protobuf.dev, "Encoding")."""


def _text(frame: bytes) -> str:
    try:
        return frame.decode()
    except UnicodeDecodeError:  # in what is passed over otherwise
        raise FrameRejectedError(Reason.NOT_UTF8) from None


def _require_same(place: Place, device: Device) -> None:
    """Check that an event is on its own device's topic.

    A broker may let each application publish below its own topics alone. What is in the payload
    must not get around that.

    Raises:
        FrameRejectedError: it is on another's.

    """
    for said, told in (
        (place.application_id, device.application_id),
        (place.dev_eui, device.dev_eui),
    ):
        if said is not None and said.lower() != told.lower():
            raise FrameRejectedError(Reason.OTHER_DEVICE)
