"""Reads the socket of a paho client on the event loop, no more often than it pays."""

import asyncio
import ssl

from paho.mqtt import client as paho

_GATHER = 0.002
"""Seconds for which messages gather where they come quicker than twice that. To wake the event loop
for each of them takes a third more CPU at 1,000 a second."""
_AT_ONCE = 50  # packets, after which others have their turn


class Reading:
    """Lets a client read what has come. Whoever hears its messages counts them in ``heard``."""

    def __init__(self, client: paho.Client) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._turn = 0  # looks of an earlier one are void
        self._read_at = 0.0
        self._free = asyncio.Event()
        self._free.set()
        self.heard = 0

    async def wait(self) -> None:
        """Return when it may read."""
        await self._free.wait()

    def begin(self) -> None:
        """Read from a new connection, unless it is to hold."""
        self._turn += 1
        sock = self._client.socket()
        if sock is not None and self._free.is_set():
            self._loop.add_reader(sock, self._read)

    def hold(self) -> None:
        """Read nothing until ``release``."""
        self._turn += 1
        self._free.clear()
        if (sock := self._client.socket()) is not None:
            self._loop.remove_reader(sock)

    def release(self) -> None:
        """Go on."""
        self._free.set()
        self.begin()
        self._loop.call_soon(self._read)  # TLS may have read it already

    def _read(self) -> None:
        """Read what has come. Where it comes quickly, look again in a moment, and not before."""
        now, before = self._loop.time(), self._read_at
        self._read_at = now
        more = self._read_some()
        sock = self._client.socket()
        if sock is not None and (more or now - before < 2 * _GATHER):
            self._loop.remove_reader(sock)
            self._look_later(more=more)

    def _look(self, turn: int) -> None:
        """Read until nothing has come; then the system tells of more."""
        if turn != self._turn:
            return
        heard = self.heard
        more = self._read_some()
        sock = self._client.socket()
        if more or self.heard > heard:
            self._look_later(more=more)
        elif sock is not None and turn == self._turn:
            self._loop.add_reader(sock, self._read)

    def _look_later(self, *, more: bool) -> None:
        self._loop.call_later(0 if more else _GATHER, self._look, self._turn)

    def _read_some(self) -> bool:
        """Read what has come, but not for too long; return whether there may be more."""
        for _ in range(_AT_ONCE):
            sock, heard = self._client.socket(), self.heard
            if sock is None or not self._free.is_set():
                return False
            self._client.loop_read()
            if self.heard == heard and not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
                return False
        return True
