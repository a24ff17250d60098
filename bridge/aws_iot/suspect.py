"""Finds the message at which AWS IoT ends the connection, each time. Does no I/O."""

from dataclasses import dataclass
from enum import Enum, auto

from bridge.spool.waiting import Waiting

_ENDS = 3  # connections in a row, after which the message is tried alone
_HANG_UPS = {"AWS_ERROR_MQTT_UNEXPECTED_HANGUP", "AWS_IO_SOCKET_CLOSED"}
_NOT_ABOUT_A_MESSAGE = {
    "ADMINISTRATIVE_ACTION",
    "CONNECTION_RATE_EXCEEDED",
    "KEEP_ALIVE_TIMEOUT",
    "NOT_AUTHORIZED",
    "QUOTA_EXCEEDED",
    "SERVER_BUSY",
    "SERVER_MOVED",
    "SERVER_SHUTTING_DOWN",
    "SESSION_TAKEN_OVER",
    "USE_ANOTHER_SERVER",
}
"""DISCONNECT reasons (MQTT 5.0, 3.14.2.1) that say nothing of what was published."""


class Verdict(Enum):
    """What to do about the first message without an answer."""

    INNOCENT = auto()
    TRY_ALONE = auto()
    GUILTY = auto()


@dataclass(slots=True)
class Suspect:
    """The message that was the first without an answer when connections ended.

    The broker answers in order, so that this is the one at which it hung up. A poor link may end
    connections, too: so the message is tried alone before it is found guilty.
    """

    _id: int | None = None
    _ends: int = 0

    def ended(self, first: Waiting | None, reason: str) -> Verdict:
        """Judge after a connection has ended; ``first`` is the first message without an answer."""
        hung_up = reason in _HANG_UPS or not (
            reason.startswith("AWS_") or reason in _NOT_ABOUT_A_MESSAGE
        )
        if first is None or not hung_up:
            self._id = None
            return Verdict.INNOCENT
        self._ends = self._ends + 1 if first.id == self._id else 1
        self._id = first.id
        if self._ends < _ENDS:
            return Verdict.INNOCENT
        if self._ends == _ENDS:
            return Verdict.TRY_ALONE
        self._id = None
        return Verdict.GUILTY
