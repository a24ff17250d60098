"""Parses the frames of Semtech's LoRaWAN network server, in both layouts. Does no I/O.

The layouts differ in where ``seqno`` and ``motetx`` stand: inside ``userdata`` or beside it.
"""

from typing import cast

import msgspec

from bridge.messages.event import Notice
from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.messages.uplink import (
    Json,
    JsonObject,
    Uplink,
    check_eui,
    decode_payload,
    decoding_reason,
)
from bridge.sources.semtech.motes import notice
from contract.eui import one_case
from contract.times import parse_time


def parse(frame: bytes, application: str | None, *, others: bool = False) -> Uplink | Notice | None:
    """Return the uplink in ``frame``, or what else it tells; None for a kind not forwarded.

    ``application`` is the AppEUI for servers that leave ``appeui`` out. With ``others``, kinds that
    are not known are told, too.

    Raises:
        FrameRejectedError: with the reason.

    """
    message = _decode(frame)
    app = message.get("app")
    if app is None and message:
        return notice(message, _one_case(application), others=others)
    if not isinstance(app, dict):
        raise FrameRejectedError(Reason.NO_APP)
    if app.get("dir") != "up":
        raise FrameRejectedError(Reason.NOT_UP)
    userdata = app.get("userdata")
    if not isinstance(userdata, dict):
        raise FrameRejectedError(Reason.BAD_USERDATA)
    gwrx = _receptions(app.get("gwrx"))
    moteeui = app.get("moteeui")
    device = check_eui(moteeui)
    return Uplink(
        application=_application(app.get("appeui"), application),
        device=device,
        port=_port(userdata.get("port")),
        data=_payload(userdata.get("payload")),
        seqno=_whole_number(userdata.get("seqno", app.get("seqno"))),
        motetx=_object(userdata.get("motetx", app.get("motetx"))),
        gwrx=gwrx,
        received_at=_times(gwrx),
        spelling=None if moteeui == device else cast("str | int", moteeui),
    )


def _decode(frame: bytes) -> dict[str, Json]:
    try:
        message = cast("Json", msgspec.json.decode(frame))
    except RecursionError:
        raise FrameRejectedError(Reason.NESTED_TOO_DEEP) from None
    except (msgspec.DecodeError, ValueError):
        raise FrameRejectedError(decoding_reason(frame)) from None
    if not isinstance(message, dict):
        raise FrameRejectedError(Reason.NOT_AN_OBJECT)
    return message


def _application(appeui: Json, configured: str | None) -> str:
    if appeui is not None:
        return check_eui(appeui)
    if configured is None:
        raise FrameRejectedError(Reason.NO_APPLICATION)
    return one_case(configured)


def _one_case(configured: str | None) -> str | None:
    return None if configured is None else one_case(configured)


def _port(value: Json) -> int:
    port = _whole_number(value)
    if port is None or not 0 <= port <= 255:  # noqa: PLR2004  # FPort is one octet
        raise FrameRejectedError(Reason.BAD_PORT)
    return port


def _payload(value: Json) -> bytes:
    if not isinstance(value, str):
        raise FrameRejectedError(Reason.BAD_USERDATA)
    return decode_payload(value)


def _receptions(value: Json) -> tuple[JsonObject, ...]:
    """Return the gateway receptions. A server may send a single one without a list."""
    several = value if isinstance(value, list) else [value]
    return tuple([each for each in several if isinstance(each, dict)])


def _times(gwrx: tuple[JsonObject, ...]) -> tuple[int, ...]:
    texts = [reception.get("time") for reception in gwrx]
    times = [parse_time(text) for text in texts if isinstance(text, str)]
    return tuple([time for time in times if time is not None])


def _whole_number(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _object(value: Json) -> JsonObject | None:
    return value if isinstance(value, dict) else None
