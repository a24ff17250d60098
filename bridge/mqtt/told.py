"""What an MQTT client tells of its broker, on whichever library it is. Does no I/O."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec


class Failure(msgspec.Struct, frozen=True, gc=False):
    """Why the broker did not do what was asked.

    ``code`` is its MQTT 5 reason code. It is None where the broker gave none: the library failed by
    itself, or the answer could not be read. ``reason`` is the name of either.
    """

    reason: str
    code: int | None = None


@dataclass(frozen=True)
class Session:
    """What the broker says of the session when it lets a client in.

    ``kept`` tells whether it is an earlier one. The broker keeps it for ``expiry`` seconds after
    the connection ends, which may be less than was asked for.
    """

    kept: bool
    expiry: int


Acknowledge = Callable[[], None]
"""Sends the PUBACK of a message: of the SDK's client on any thread, else on the event loop only.
After its connection has ended it does nothing, and the broker brings the message again."""


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A message that came. ``acknowledge`` is None where the broker waits for nothing: QoS 0.

    It is ``retained`` if it is old, and came because of the subscription.
    """

    topic: str
    payload: bytes
    retained: bool
    acknowledge: Acknowledge | None
