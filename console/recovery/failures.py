"""Reads the messages of the error queue: what the rules could not store, and why. Does no I/O."""

import re
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from contract.deployment import Deployment
from contract.names import EXPIRY_ATTRIBUTE, PARTITION_KEY, without_ingest
from contract.rows import Row, Value, port_and_data
from contract.times import format_time

_SECONDS_PER_DAY = 86_400
_MICROS = 1_000_000
_NO_FAILURE = "something else than AWS IoT has put it there"
_SAID = re.compile(
    r"The error received was:?\s(.+?)(?: \(Service:|\.? Message arrived on:|\Z)", re.DOTALL
)
"""What a service said, within what AWS IoT says around it."""


class FailedAction(msgspec.Struct, frozen=True, rename="camel"):
    """An action of a rule that failed."""

    error_message: str


class ErrorAction(msgspec.Struct, frozen=True, rename="camel"):
    """What AWS IoT reports (AWS IoT Developer Guide, "Error action message format")."""

    topic: str
    base64_original_payload: bytes
    failures: list[FailedAction]


_action = msgspec.json.Decoder(ErrorAction)
_json = msgspec.json.Decoder(object, float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Failure:
    """A message of the error queue, sent at ``time``, in microseconds since 1970.

    ``action`` is None where it comes from something else. ``device`` is the partition key of its
    row: ``APPEUI/MOTEEUI``, or that of events; None where its topic is none that a rule takes.
    """

    id: str
    time: int
    body: str
    action: ErrorAction | None
    device: str | None


@dataclass(frozen=True, slots=True)
class ListedFailure:
    """A failure in one line."""

    id: str
    time: str
    device: str | None
    seqno: object
    reason: str


def parse_failure(deployment: Deployment, message_id: str, time: int, body: str) -> Failure:
    """Return the failure that a message of a deployment's queue reports."""
    try:
        action = _action.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return Failure(message_id, time, body, None, None)
    device = deployment.row_partition(without_ingest(action.topic))
    return Failure(message_id, time, body, action, device)


def listed(failure: Failure) -> ListedFailure:
    """Return the failure in one line."""
    if failure.action is None:
        return ListedFailure(failure.id, format_time(failure.time), None, None, _NO_FAILURE)
    payload = _decoded(failure.action.base64_original_payload)
    seqno = payload.get("seqno") if isinstance(payload, dict) else None
    reasons = dict.fromkeys(_reason(each.error_message) for each in failure.action.failures)
    reason = "; ".join(reasons) or "no reason given"
    return ListedFailure(failure.id, format_time(failure.time), failure.device, seqno, reason)


def details(failure: Failure) -> dict[str, object]:
    """Return all of a failure; its payload as the JSON that it is, or else in base64."""
    shown: dict[str, object] = {"id": failure.id, "time": format_time(failure.time)}
    body = _decoded(failure.body.encode(errors="replace"))
    if failure.action is None or not isinstance(body, dict):
        return shown | {"body": failure.body}
    payload = _decoded(failure.action.base64_original_payload)
    if payload is not None:
        del body["base64OriginalPayload"]
        shown["payload"] = payload
    return shown | body


def row_to_store(failure: Failure, retention_days: int | None) -> dict[str, object]:
    """Return the row that its rule would have stored, at the time it tried.

    Raises:
        ValueError: there is none, and why.

    """
    if failure.action is None or failure.device is None:
        raise ValueError(_NO_FAILURE if failure.action is None else "not a topic of a rule")
    payload = _decoded(failure.action.base64_original_payload)
    if not isinstance(payload, dict):
        raise ValueError("its payload is no JSON object")  # noqa: TRY004  # of its value, not its type
    row: dict[str, object] = payload | {PARTITION_KEY: failure.device}
    if retention_days is not None:
        row[EXPIRY_ATTRIBUTE] = failure.time // _MICROS + retention_days * _SECONDS_PER_DAY
    return row


def is_same(row: Row, found: Row) -> bool:
    """Say whether what was found in the row's place is the same message, whatever was added to it.

    Two deliveries of an uplink may differ in how gateways heard it; those of an event are equal.
    """
    content = port_and_data(row)
    if content is None:  # an event, or stored by something else than a bridge
        kept = row.keys() - {EXPIRY_ATTRIBUTE}
        return all(name in found and _equal(row[name], found[name]) for name in kept)
    return (content, row.get("seqno")) == (port_and_data(found), found.get("seqno"))


def _equal(value: Value, found: Value) -> bool:
    """Say whether a value is the same; a list or map may be stored as its JSON text."""
    if isinstance(value, list | dict) and isinstance(found, str):
        return value == _decoded(found.encode())
    return value == found


def _decoded(data: bytes) -> object:
    """Return what JSON says, with numbers exact; None where it is none."""
    try:
        return _json.decode(data)
    except (msgspec.DecodeError, RecursionError, ArithmeticError):
        return None


def _reason(message: str) -> str:
    said = _SAID.search(message)
    return " ".join((said[1] if said else message).split())
