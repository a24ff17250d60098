"""Reads the socket of a paho client on the event loop, no more often than it pays."""

import asyncio
import ssl

from paho.mqtt import client as paho

_GATHER = 0.02
"""Seconds for which messages gather at most. What is done for each look, the commit above all,
costs several times what is done for each message; a LoRa frame was in the air for longer."""
_TOGETHER = 8
"""Messages that are worth a look: fewer than a broker lets go without an acknowledgement."""
_OFTEN = 0.03  # seconds from one message to the next, up to which it pays to gather them
_AT_ONCE = 50  # packets, after which others have their turn
_SMOOTH = 0.2  # of the interval: how much the last look counts


class Reading:
    """Lets a client read what has come. Whoever hears its messages counts them in ``heard``."""

    def __init__(self, client: paho.Client) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._turn = 0  # looks of an earlier one are void
        self._read_at = 0.0
        self._interval = 1.0  # seconds from one message to the next, lately
        self._free = asyncio.Event()
        self._free.set()
        self.heard = 0

    async def wait(self) -> None:
        """Return when it may read."""
        await self._free.wait()

    def begin(self) -> None:
        """Read from a new connection, unless it is to hold."""
        self._turn += 1
        if self._free.is_set():
            self._listen()

    def hold(self) -> None:
        """Read nothing until ``release``."""
        self._turn += 1
        self._free.clear()
        self._deafen()

    def release(self) -> None:
        """Go on."""
        self._free.set()
        self._turn += 1
        self._look(self._turn)  # TLS may have read it already

    def _read(self) -> None:
        """Read what the system has told of."""
        self._deafen()
        self._look(self._turn)

    def _look(self, turn: int) -> None:
        """Read what has come, and look again in a moment, or let the system tell."""
        if turn != self._turn:
            return
        heard = self.heard
        more = self._read_some()
        self._note(self.heard - heard)
        if more:
            self._loop.call_soon(self._look, turn)
        elif self._interval < _OFTEN:
            pause = min(_GATHER, _TOGETHER * self._interval)
            self._loop.call_later(pause, self._look, turn)
        elif turn == self._turn:
            self._listen()

    def _note(self, messages: int) -> None:
        """Note how quickly messages come."""
        now = self._loop.time()
        since, self._read_at = now - self._read_at, now
        latest = since / messages if messages else 2 * max(self._interval, since)
        self._interval += _SMOOTH * (min(latest, 1.0) - self._interval)

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

    def _listen(self) -> None:
        if (sock := self._client.socket()) is not None:
            self._loop.add_reader(sock, self._read)

    def _deafen(self) -> None:
        if (sock := self._client.socket()) is not None:
            self._loop.remove_reader(sock)
