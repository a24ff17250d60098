"""Gives downlinks to Semtech's network server, over the connections that it has opened.

The server says nothing when it takes one. That the bytes are in the socket is all that is known.
"""

from collections import OrderedDict
from collections.abc import Container, Iterable, Sequence
from typing import Protocol

from bridge.messages.downlink import Downlink
from bridge.messages.uplink import Uplink
from bridge.sources.semtech.motes import MAX_TOKEN, NAME, frame

_SPELLINGS = 20_000  # devices


class Connected(Protocol):
    """A connection that a network server has opened."""

    applications: set[str]
    """Those whose uplinks came over it, or which its listener is for."""

    @property
    def useful_at(self) -> tuple[bool, float]:
        """The later something good came over it, the greater."""

    @property
    def unsent(self) -> int:
        """How many bytes the server has not taken yet."""

    def write(self, data: bytes) -> None:
        """Write to the server."""


class SemtechSender:
    """The ``Sender`` of the connections that are open, and of the applications configured.

    Tokens are counted around from 1, so that one comes again as late as can be. ``last_token`` is
    where that begins.
    """

    name = NAME
    names_acknowledged = False

    def __init__(
        self, connections: Iterable[Connected], applications: Sequence[str], last_token: int
    ) -> None:
        self._connections = connections
        self._applications = frozenset(applications)
        self._last_token = last_token
        self._spellings = OrderedDict[str, str | int]()

    def note(self, uplink: Uplink) -> None:
        """Note how the server writes a device's EUI, if it is not as here."""
        if uplink.spelling is not None:
            self._spellings[uplink.device] = uplink.spelling
            if len(self._spellings) > _SPELLINGS:
                self._spellings.popitem(last=False)

    def has(self, device: str) -> bool:
        """Say whether a listener is for a device's application."""
        return device.partition("/")[0] in self._applications

    def ready(self, application: str) -> bool:
        """Say whether a server with an application is connected, and takes what is written."""
        return self._connection(application) is not None

    def reference(self, taken: Container[str]) -> str | None:
        """Return the next token that is not taken, as text; None if all are."""
        for _ in range(MAX_TOKEN):
            self._last_token = self._last_token % MAX_TOKEN + 1
            if str(self._last_token) not in taken:
                return str(self._last_token)
        return None

    async def hand_over(self, downlink: Downlink) -> bool:
        """Write a downlink to the connection that was useful last; return whether there is one."""
        connection = self._connection(downlink.application)
        if connection is None:
            return False
        moteeui = self._spellings.get(downlink.moteeui, downlink.moteeui)
        connection.write(frame(downlink, moteeui))
        return True

    async def is_queued(self, downlink: Downlink) -> None:
        """Say nothing: this server cannot be asked."""

    def _connection(self, application: str) -> Connected | None:
        able = (
            each
            for each in self._connections
            # What waits here would be written when the server reads again, expired or not.
            if application in each.applications and not each.unsent
        )
        return max(able, key=lambda each: each.useful_at, default=None)
