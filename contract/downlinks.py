"""What a downlink is asked for with, and the states that it goes through. Does no I/O."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import msgspec

from contract.errors import BridgeError
from contract.times import format_time, parse_time

MAX_PORT = 223
"""FPort 224 is the LoRaWAN test protocol's, 0 the MAC's (LoRaWAN L2 1.0.4, 4.3.2)."""
MAX_BYTES = 242
"""The most that any data rate takes (RP002-1.0.4, maximum payload size)."""
MAX_REQUEST = 4_096
"""Bytes of a request: one with 242 bytes has at most 1,200."""
MAX_DAYS = 31
"""How far ahead a request may expire: its downlink may be open until then."""

_DAY = 86_400_000_000  # microseconds
_ID = re.compile(r"[0-9A-Za-z_.:-]{1,64}")
_BYTES = re.compile(r"port(\d{1,3})_bytes")
_OTHERS = {"id", "confirmed", "immediate", "expires"}


class State(StrEnum):
    """How far a downlink has come. What each proves is in docs/downlinks.md."""

    ACCEPTED = "accepted"
    SUBMITTED = "submitted"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


_ENDS = {
    *(State.ACKNOWLEDGED, State.NOT_ACKNOWLEDGED),
    *(State.FAILED, State.EXPIRED, State.UNKNOWN),
}


def is_end(state: State, *, confirmed: bool) -> bool:
    """Return whether nothing comes after a state: an unconfirmed downlink ends when it is sent."""
    return state in _ENDS or (state is State.SENT and not confirmed)


@dataclass(frozen=True, slots=True)
class Request:
    """What a sender asks for: ``data``, at most 242 bytes, on FPort ``port``, 1 to 223.

    ``id`` is the sender's name for it. ``expires`` is in microseconds since 1970, None for as long
    as the bridge waits by itself. ``immediate`` asks the network server to send it at once.
    """

    id: str
    port: int
    data: bytes
    confirmed: bool = False
    immediate: bool = False
    expires: int | None = None


class BadRequestError(BridgeError):
    """A request that cannot be taken, and why. ``id`` is None where it has none to answer to."""

    def __init__(self, reason: str, request_id: str | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.id = request_id


def build_request(request: Request) -> bytes:
    """Return the payload of a request, as compact JSON."""
    fields: dict[str, object] = {"id": request.id, f"port{request.port}_bytes": [*request.data]}
    if request.confirmed:
        fields["confirmed"] = True
    if request.immediate:
        fields["immediate"] = True
    if request.expires is not None:
        fields["expires"] = format_time(request.expires)
    return msgspec.json.encode(fields)


def parse_request(payload: bytes) -> Request:
    """Read the payload of a request. Nothing in it is guessed.

    Raises:
        BadRequestError: with the reason, and the id if there is one.

    """
    fields = _fields(payload)
    request_id = fields.get("id")
    if not (isinstance(request_id, str) and _ID.fullmatch(request_id)):
        raise BadRequestError("id is not 1 to 64 of the characters 0-9 A-Z a-z _ . : -", None)

    def bad(reason: str) -> BadRequestError:
        return BadRequestError(reason, request_id)

    contents = [match for match in map(_BYTES.fullmatch, fields) if match]
    if len(contents) != 1:
        raise bad("needs one portN_bytes")
    (content,) = contents
    unknown = fields.keys() - _OTHERS - {content[0]}
    if unknown:
        raise bad(f"unknown key {min(unknown)[:64]}")
    port = int(content[1])
    if not 1 <= port <= MAX_PORT:
        raise bad(f"port is not 1 to {MAX_PORT}")
    return Request(
        request_id,
        port,
        _data(fields[content[0]], bad(f"bytes are not up to {MAX_BYTES} numbers from 0 to 255")),
        confirmed=_flag(fields.get("confirmed"), bad("confirmed is not true or false")),
        immediate=_flag(fields.get("immediate"), bad("immediate is not true or false")),
        expires=_time(fields.get("expires"), bad("expires is not a time in ISO 8601")),
    )


def check_expiry(request: Request, now: int) -> None:
    """Check that a request does not expire too far ahead; ``now`` is in microseconds since 1970.

    Raises:
        BadRequestError: it does.

    """
    if request.expires is not None and request.expires > now + MAX_DAYS * _DAY:
        raise BadRequestError(f"expires is more than {MAX_DAYS} days ahead", request.id)


def _fields(payload: bytes) -> dict[str, object]:
    if len(payload) > MAX_REQUEST:
        raise BadRequestError(f"longer than {MAX_REQUEST} bytes", None)
    try:
        return msgspec.json.decode(payload, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise BadRequestError("not a JSON object", None) from None


def _data(value: object, error: BadRequestError) -> bytes:
    if not isinstance(value, list):
        raise error
    numbers = cast("list[object]", value)
    if len(numbers) > MAX_BYTES or any(type(each) is not int for each in numbers):
        raise error
    try:
        return bytes(cast("list[int]", numbers))
    except ValueError:
        raise error from None


def _flag(value: object, error: BadRequestError) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise error
    return value


def _time(value: object, error: BadRequestError) -> int | None:
    if value is None:
        return None
    time = parse_time(value) if isinstance(value, str) else None
    if time is None:
        raise error
    return time
