"""What a ChirpStack 4.20 has published, and small events of its form, for tests to start from."""

import json
from pathlib import Path
from typing import NamedTuple, cast

from bridge.config import ChirpStack
from bridge.messages.event import Notice
from bridge.messages.message import Message, build
from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.messages.timestamper import Timestamper
from bridge.messages.uplink import Uplink
from bridge.sources.chirpstack.parsing import Parser
from contract.deployment import UNNAMED
from contract.times import parse_time

_FOLDER = Path(__file__).parent
APPLICATION_ID = "4de338a8-d918-4a0d-a7b9-e2fd8b4de47b"
DEV_EUI = "70b3d57ed0aa0012"
TIME = "2026-11-25T04:32:42.418+00:00"
RECEIVED = parse_time(TIME) or 0
"""That time, in microseconds since 1970."""
DEFAULT = ChirpStack()


class Published(NamedTuple):
    """An event, and what had caused it."""

    scene: str
    topic: str
    payload: bytes

    @property
    def kind(self) -> str:
        """The last level of the topic."""
        return self.topic.rpartition("/")[2]


def _published(line: str) -> Published:
    fields = cast("dict[str, str]", json.loads(line))
    return Published(fields["scene"], fields["topic"], fields["payload"].encode())


EVENTS = tuple(map(_published, (_FOLDER / "events.jsonl").read_text("utf-8").splitlines()))
PROTOBUF = bytes.fromhex((_FOLDER / "protobuf.hex").read_text("ascii"))
"""The event ``up`` of a server with ``json = false``."""


def of_scene(scene: str, kind: str = "up") -> Published:
    """Return the first event of a kind in a scene."""
    return next(each for each in EVENTS if (each.scene, each.kind) == (scene, kind))


def topic(kind: str = "up", application_id: str = APPLICATION_ID, dev_eui: str = DEV_EUI) -> str:
    """Return the topic of an event, as ChirpStack's default template has it."""
    return f"application/{application_id}/device/{dev_eui}/event/{kind}"


def device(**fields: object) -> dict[str, object]:
    """Return a ``deviceInfo`` with fields added or replaced; None removes one."""
    whole = {"applicationId": APPLICATION_ID, "devEui": DEV_EUI} | fields
    return {name: value for name, value in whole.items() if value is not None}


def event(**fields: object) -> bytes:
    """Return a small event with fields added or replaced; None removes one."""
    whole = {"deviceInfo": device(), "time": TIME} | fields
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


def read(payload: bytes, kind: str = "up", settings: ChirpStack = DEFAULT) -> Uplink | Notice:
    """Return what an event of a kind tells, on its own topic.

    Raises:
        TypeError: it is not forwarded.

    """
    content = Parser(settings).read(topic(kind), payload).content
    if content is None:
        raise TypeError(kind)
    return content


def uplink(payload: bytes, settings: ChirpStack = DEFAULT, where: str = "") -> Uplink:
    """Return the uplink in an event.

    Raises:
        TypeError: there is none.

    """
    parsed = Parser(settings).read(where or topic(), payload).content
    if not isinstance(parsed, Uplink):
        raise TypeError(f"no uplink: {payload!r}")
    return parsed


def message(uplink: Uplink) -> Message:
    """Return the message of an uplink that comes alone, and at once."""
    return build(uplink, Timestamper().place(uplink, RECEIVED).given, UNNAMED)


def rejection(
    topic: str, payload: bytes, settings: ChirpStack = DEFAULT, *, retained: bool = False
) -> Reason | None:
    """Return why an event is rejected, None if it is not."""
    try:
        Parser(settings).read(topic, payload, retained=retained)
    except FrameRejectedError as error:
        return error.reason
    return None
