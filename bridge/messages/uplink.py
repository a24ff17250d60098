"""What a device sent: the common form that every source's parser produces. Does no I/O."""

import binascii
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from bridge.messages.rejection import FrameRejectedError, Reason
from contract.eui import EUI_PATTERN, one_case

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
JsonObject = Mapping[str, Json]

_EUI = re.compile(EUI_PATTERN)


class Uplink(msgspec.Struct, frozen=True):
    """One device message, as its network server described it.

    ``application`` and ``device`` are checked EUIs. ``data`` is what the device sent on
    ``port``. ``received_at`` holds the gateways' receive times, in microseconds since 1970.
    ``seqno``, ``motetx`` and ``gwrx`` are as in the frame, None or empty where it has none.
    ``spelling`` is the device's EUI as the server writes it, None where that is the same.

    Some servers say themselves when it was received, ``time``; then gateways have no say. Some name
    each uplink: two with one ``identity`` are one, and two with different ones are two. ``more`` is
    what else its message has.
    """

    application: str
    device: str
    port: int
    data: bytes
    seqno: int | None
    motetx: JsonObject | None
    gwrx: tuple[JsonObject, ...]
    received_at: tuple[int, ...]
    spelling: str | int | None = None
    time: int | None = None
    identity: str | None = None
    more: JsonObject = {}


def check_eui(value: Json) -> str:
    """Return an EUI as text that is safe as one level of a topic.

    A number becomes hexadecimal. Hexadecimal has one case, whichever the network server writes.

    Raises:
        FrameRejectedError: it is not 1 to 64 characters of ``[0-9A-Za-z_.:-]``.

    """
    if isinstance(value, str):
        eui = _eui(value)
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        eui = _eui(format(value, "x"))
    else:
        eui = None
    if eui is None:
        raise FrameRejectedError(Reason.BAD_EUI)
    return eui


def decode_payload(text: str) -> bytes:
    """Decode base64, whose ``=`` padding some servers leave out.

    Raises:
        FrameRejectedError: it is none.

    """
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        raise FrameRejectedError(Reason.BAD_PAYLOAD) from None


def decoding_reason(frame: bytes) -> Reason:
    """Return why a frame that is not read as JSON is not."""
    try:
        frame.decode()
    except UnicodeDecodeError:
        return Reason.NOT_UTF8
    return Reason.NOT_JSON


@lru_cache(10_000)  # the same devices come again and again
def _eui(text: str) -> str | None:
    return one_case(text) if _EUI.fullmatch(text) else None
