"""What must hold for any bytes on any topic that a broker brings. No pytest in here."""

import base64
import json
import re
from collections.abc import Iterator
from typing import cast

import msgspec

from bridge.config import ChirpStack, Kept
from bridge.messages import message
from bridge.messages.downlink import Answer
from bridge.messages.event import DeviceEvent, Notice, build_event
from bridge.messages.message import Message
from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.messages.timestamper import Timestamper
from bridge.messages.uplink import Json, Uplink
from bridge.sources.chirpstack.parsing import Parser, Read
from codec.storable import Json as Storable
from codec.storable import require_storable
from contract.deployment import UNNAMED
from contract.eui import EUI_PATTERN
from contract.names import EventType
from tests.bridge.messages.invariants import check_published, deeper
from tests.bridge.sources.chirpstack.published import APPLICATION_ID, RECEIVED

PARSERS = (
    Parser(ChirpStack(), others=True),
    Parser(
        ChirpStack(
            event_topic="{{event}}",
            applications={APPLICATION_ID: "soil"},
            application_tag="app_eui",
            keep=(Kept.TAGS, Kept.PROFILE),
        )
    ),
)
"""One that believes topics and forwards all kinds, and one that believes payloads."""

_LEVEL = re.compile(EUI_PATTERN)
_LEVELS = 32  # of an item in DynamoDB ("Data types")
_MOST_OF_A_READING = 32_768
_LATE = {Reason.NESTED_TOO_DEEP, Reason.OVERSIZED}
"""Why what was read may yet have no message."""


def check(stream: bytes) -> list[Message]:
    """Take a topic and, on the lines after it, what came on it, as the corpus's files have them."""
    topic, _, frame = stream.partition(b"\n")
    return check_event(topic.decode(errors="replace"), frame)


def check_event(topic: str, frame: bytes) -> list[Message]:
    """Take what came on a topic all the way; return its messages when nothing was wrong."""
    made: list[Message] = []
    for parser, place in zip(PARSERS, (topic, topic.rpartition("/")[2]), strict=True):
        read = _parsed(parser, place, frame)
        assert _parsed(parser, place, frame) == read
        if isinstance(read, Read):
            assert parser.takes(place)
            made += _check_read(read, frame)
    return made


def _parsed(parser: Parser, topic: str, frame: bytes) -> Read | Reason:
    try:
        return parser.read(topic, frame)
    except FrameRejectedError as error:
        return error.reason


def _check_read(read: Read, frame: bytes) -> Iterator[Message]:
    for level in (read.application, read.device, read.application_id):
        assert _LEVEL.fullmatch(level)
    match read.content:
        case Uplink():
            yield from _check_uplink(read.content, frame)
        case Notice(events, answers):
            for event in events:
                assert (event.application, event.device) == (read.application, read.device)
                yield from _check_told(event)
            for answer in answers:
                assert (answer.moteeui, answer.reference is None) == (read.device, False)
                yield _event_of(answer)


def _check_uplink(uplink: Uplink, frame: bytes) -> Iterator[Message]:
    assert uplink.data == base64.b64decode(_data(frame) + "==")
    timestamper = Timestamper()
    first, again = (timestamper.place(uplink, RECEIVED) for _ in range(2))
    assert (first.given == again.given) is (uplink.identity is not None)
    other = msgspec.structs.replace(uplink, identity="another's", time=first.wanted)
    assert timestamper.place(other, RECEIVED).given not in {first.given, again.given}
    try:
        made = message.build(uplink, timestamper.place(other, RECEIVED).given, UNNAMED)
    except FrameRejectedError as error:
        assert error.reason in _LATE
        return
    fields = check_published(made)
    require_storable(cast("Storable", fields), _LEVELS)
    assert fields.pop(f"port{uplink.port}_bytes") == list(uplink.data)
    assert fields.pop("seqno") == uplink.seqno
    assert fields.pop("motetx", None) == uplink.motetx
    assert fields.pop("gwrx", []) == list(uplink.gwrx)
    said = fields.get("object", "")
    assert isinstance(said, str)
    assert len(said.encode()) <= _MOST_OF_A_READING
    assert fields == uplink.more
    yield made


def _data(frame: bytes) -> str:
    """Return the payload of an uplink, by another reader of JSON."""
    with deeper():
        # Numbers of thousands of digits are passed over by the bridge, too.
        event = json.loads(frame.decode(errors="replace"), parse_int=str, parse_float=str)
    return cast("dict[str, str]", event).get("data", "")


def _check_told(event: DeviceEvent) -> Iterator[Message]:
    assert event.application is not None
    device = f"{event.application}/{event.device}"
    timestamper = Timestamper()
    time = RECEIVED if event.time is None else event.time
    first, again = (timestamper.place_event(device, time, event.identity) for _ in range(2))
    assert event.identity
    assert first.given == again.given
    given = timestamper.place_event(device, first.wanted, "another's").given
    assert given != first.given
    topic = UNNAMED.event_topic(device, event.kind)
    try:
        made = build_event(topic, event.kind, given, event.source, event.fields)
    except FrameRejectedError as error:
        assert error.reason in _LATE
        return
    fields = check_published(made)
    require_storable(cast("Storable", fields), _LEVELS)
    assert fields == {**event.fields, "type": event.kind, "source": "chirpstack"}
    yield made


def _event_of(answer: Answer) -> Message:
    """Return the event that tells the new state of a downlink, which is never too large."""
    fields: dict[str, Json] = {"id": "x" * 64, "state": answer.state, "reason": answer.reason}
    topic = UNNAMED.event_topic(f"a/{answer.moteeui}", EventType.DOWNLINK)
    made = build_event(topic, EventType.DOWNLINK, RECEIVED, "chirpstack", fields)
    check_published(made)
    return made
