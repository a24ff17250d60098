"""What Semtech's network server tells of devices and their downlinks, and how it is given one.

No I/O. The frames are those of independent clients of the server: its documentation is not public.
"""

import base64
from collections.abc import Mapping
from typing import cast

import msgspec

from bridge.messages.downlink import Answer, Downlink
from bridge.messages.event import DeviceEvent, Notice
from bridge.messages.uplink import Json, JsonObject, check_eui
from contract.downlinks import State
from contract.names import EventType

NAME = "semtech"
MAX_TOKEN = 65_535
_ABOUT_DOWNLINKS = {"msgsent", "ackrx", "sentStatus"}


def notice(message: Mapping[str, Json], application: str | None, *, others: bool) -> Notice | None:
    """Return what a frame without ``app`` tells, None for one that is not forwarded.

    ``application`` is that of servers that leave appeui out. With ``others``, kinds that are not
    known are told, too. A frame that names no device is not forwarded.

    Raises:
        FrameRejectedError: the EUI of a device or an application is none.

    """
    if (join := _device_in(message.get("join"))) is not None:
        return Notice((_event(EventType.JOIN, *join, application),))
    if (mote := _device_in(message.get("mote"))) is not None:
        return _of_mote(*mote, application)
    return _other(message, application) if others else None


def frame(downlink: Downlink, moteeui: str | int) -> bytes:
    """Return the frame, with its NUL, that asks the server to send a downlink.

    ``moteeui`` is the device's EUI as the server itself writes it.
    """
    content: dict[str, Json] = {
        "moteeui": moteeui,
        "dir": "dn",
        "token": int(downlink.reference or 0),
        "confirmed": downlink.confirmed,
        "userdata": {
            "port": downlink.port,
            "payload": base64.b64encode(downlink.data).decode(),
        },
    }
    kind = "immeApp" if downlink.immediate else "app"
    return msgspec.json.encode({kind: content}) + b"\0"


def _device_in(content: Json) -> tuple[str, dict[str, Json]] | None:
    """Return the EUI of the device that an object names, and what else it holds."""
    if not isinstance(content, dict):
        return None
    fields = dict(cast("JsonObject", content))
    name = next((each for each in ("moteeui", "eui") if each in fields), None)
    return None if name is None else (check_eui(fields.pop(name)), fields)


def _of_mote(device: str, mote: dict[str, Json], application: str | None) -> Notice:
    """Return the answers in a status of a device, or the status where it holds none."""
    if not mote.keys() & _ABOUT_DOWNLINKS:
        return Notice((_event(EventType.STATUS, device, mote, application),))
    answers = []
    token = mote.get("msgsent")
    if isinstance(token, int) and not isinstance(token, bool):
        answers.append(Answer(State.SENT, device, str(token)))
    elif mote.get("sentStatus") is True:
        answers.append(Answer(State.SENT, device))
    # Some servers write true, others a number or an object: that it is there says it.
    if mote.get("ackrx") not in (None, False):
        answers.append(Answer(State.ACKNOWLEDGED, device))
    return Notice(answers=tuple(answers))


def _other(message: Mapping[str, Json], application: str | None) -> Notice | None:
    """Return a frame of a kind that is not known whole, if it says of which device it is."""
    for device, content in filter(None, map(_device_in, message.values())):
        fields: dict[str, Json] = {"appeui": content.get("appeui"), "frame": message}
        return Notice((_event(EventType.OTHER, device, fields, application),))
    return None


def _event(
    kind: EventType, device: str, fields: dict[str, Json], application: str | None
) -> DeviceEvent:
    """Return an event; its application is the one that the server names, if it does."""
    appeui = fields.pop("appeui", None)
    known = application if appeui is None else check_eui(appeui)
    return DeviceEvent(NAME, kind, known, device, fields)
