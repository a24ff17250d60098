"""Listens for network servers and passes the frames they write to the forwarder."""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import cast

from bridge.addresses import address, why
from bridge.config import Listen
from bridge.log_limit import LimitedLogger
from bridge.messages.event import Notice
from bridge.messages.uplink import Uplink
from bridge.sources.forwarder import Forwarder
from bridge.sources.gaps import Gaps
from bridge.sources.semtech.frames import parse
from bridge.sources.semtech.framing import Framer
from bridge.sources.semtech.motes import NAME
from bridge.sources.semtech.sending import SemtechSender
from bridge.sources.source import Parse
from contract.errors import BridgeError
from contract.eui import one_case

_log = logging.getLogger(__name__)
_STOP_LIMIT = 2.0  # seconds
_LOOK_EVERY = 0.01  # seconds
_QUIET_LOOKS = 10  # with nothing read in between, after which all has been read
_LINES = 20  # a minute, about connections that come, and as many about those that go
_READ = 262_144  # bytes taken from a connection before the next one has its turn
_PENALTY = 100  # a hundred hostile connections cannot take more time than there is
_APPLICATIONS = 1_000  # of a connection: frames can name any number
_KEEP_ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""Seconds, seconds and probes: a network server that is gone is noticed after two minutes."""


class Listener:
    """The listening sockets and the connections that network servers have opened to them.

    A ``Source``. This network server waits for no acknowledgement, so that there are no receipts.
    ``claim`` is told each application that comes over a connection, ``gaps`` when one comes after
    all were gone, and at the start, if an earlier run has listened, in microseconds, ``ran_until``
    then. With ``others``, frames of kinds that are not known are events, too. After a read
    with more bad frames than good ones, a connection rests: ``penalty`` times as long as that read
    took. ``sender`` gives downlinks to the servers that are connected.
    """

    def __init__(  # noqa: PLR0913  # what comes over a connection goes many ways
        self,
        listens: Sequence[Listen],
        forwarder: Forwarder,
        claim: Callable[[str], None],
        gaps: Gaps,
        *,
        others: bool = False,
        last_token: int = 0,
        penalty: float = _PENALTY,
        ran_until: int | None = None,
    ) -> None:
        self.penalty = penalty
        self._ran_until = ran_until
        self.claim = claim
        self.others = others
        self._gaps = gaps
        self._left_at: dict[str, int] = {}  # when the last connection to an address had gone
        self._listens = listens
        self._forwarder = forwarder
        self._servers: list[asyncio.Server] = []
        self._connections: set[_Connection] = set()
        named = [one_case(each.application) for each in listens if each.application]
        self.sender = SemtechSender(self._connections, named, last_token)
        self.stopping = False
        self.read_at = 0.0
        self.paused = False
        self.log = LimitedLogger(_log, _LINES)
        self._floods = LimitedLogger(_log)
        self.buffer = memoryview(bytearray(_READ))
        """Shared by the connections: each has taken what was read before the next is read."""

    async def start(self) -> None:
        """Listen on every address.

        Raises:
            BridgeError: one of them is taken or not this host's.

        """
        loop = asyncio.get_running_loop()
        for listen in self._listens:
            connection = partial(_Connection, self, self._forwarder, listen)
            # So many may come before a new one is read for the first time.
            backlog = max(1, listen.max_connections // 4)
            try:
                server = await loop.create_server(
                    connection, listen.host, listen.port, backlog=backlog
                )
            except (OSError, UnicodeError) as error:
                raise BridgeError(f"cannot listen on {listen.address}: {why(error)}") from None
            self._servers.append(server)
        if self._ran_until is not None:
            self._gaps.tell(NAME, "frames", "the bridge was not running", self._ran_until)
            now = self._gaps.now()
            self._left_at = {each.address: now for each in self._listens}
        _log.info("listening on %s", ", ".join(self.addresses()))

    def unready(self) -> list[str]:
        """Return that it does not listen, if it does not."""
        return [] if self._servers else ["not listening"]

    @property
    def connections(self) -> int:
        """How many connections network servers have open."""
        return len(self._connections)

    def addresses(self) -> list[str]:
        """Return ``host:port`` of every listening socket."""
        sockets = [each for server in self._servers for each in server.sockets]
        return [address(each.getsockname()) for each in sockets]

    def pause(self) -> None:
        """Read nothing until ``resume``; the network servers' writes fill the sockets and wait."""
        self.paused = True
        for connection in self._connections:
            connection.transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        self.paused = False
        for connection in self._connections:
            connection.transport.resume_reading()

    async def stop(self) -> None:
        """Stop listening, take what has been written, and close every connection."""
        self.stopping = True
        for server in self._servers:
            server.close()
        if not self.paused:
            self.resume()  # those that rest, too
        time = asyncio.get_running_loop().time
        # A network server that goes on writing, or a pause, must not hold the stop up.
        limit = time() + _STOP_LIMIT
        quiet = 0
        while self._connections and quiet < _QUIET_LOOKS and time() < limit:
            read_at = self.read_at
            await asyncio.sleep(_LOOK_EVERY)
            # Not by the time that passed: the disk may have taken it.
            quiet = quiet + 1 if self.read_at == read_at else 0
        for connection in self._connections:
            connection.transport.abort()
        await asyncio.sleep(0)  # each connection's end is called by the event loop

    def opened(self, connection: "_Connection") -> None:
        """Note a new connection; one that comes in a pause waits like the others."""
        if self.stopping:
            connection.transport.abort()
            return
        self._make_room(connection.listen)
        self._connections.add(connection)
        left_at = self._left_at.pop(connection.listen.address, None)
        if left_at is not None:
            self._gaps.tell(NAME, "frames", "no network server was connected", left_at)
        # Not at once: before Python 3.11.4 a transport begins to read after this, paused or not.
        asyncio.get_running_loop().call_soon(self._hold, connection)

    def _hold(self, connection: "_Connection") -> None:
        if self.paused:
            connection.transport.pause_reading()

    def closed(self, connection: "_Connection") -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        address = connection.listen.address
        if all(each.listen.address != address for each in self._connections):
            self._left_at[address] = self._gaps.now()

    def _make_room(self, listen: Listen) -> None:
        """Close the least useful connection of an address that has all it may have.

        A new one is always let in. Otherwise somebody who holds all connections open could keep
        network servers out.
        """
        others = [each for each in self._connections if each.listen is listen]
        if len(others) >= listen.max_connections:
            least = min(others, key=lambda each: each.useful_at)
            self._connections.discard(least)
            least.transport.abort()
            self._floods.log(
                logging.WARNING,
                "too many",
                "more than max_connections = %d to %s: closed the one from %s, which has delivered"
                " nothing for longest",
                *(listen.max_connections, listen.address, least.peer),
            )


class _Connection(asyncio.BufferedProtocol):
    """One network server's connection. It is never closed for what comes over it.

    ``useful_at`` orders connections: first those that never had a good frame, by when they were
    opened, and then the others, by when their last good frame came.
    """

    transport: asyncio.Transport

    def __init__(self, listener: Listener, forwarder: Forwarder, listen: Listen) -> None:
        self.listen = listen
        self.peer = ""
        self.useful_at = (False, 0.0)
        self._listener = listener
        self._forwarder = forwarder
        self._framer = Framer(listen.max_frame)
        self._known = parser(listen, others=listener.others)
        self.applications = {one_case(listen.application)} if listen.application else set[str]()
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # what create_server makes
        self.peer = address(transport.get_extra_info("peername") or "")
        self.useful_at = (False, self._loop.time())
        _keep_alive(transport.get_extra_info("socket"))
        self._say("connected")
        self._listener.opened(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # asyncio's
        return self._listener.buffer

    def buffer_updated(self, nbytes: int) -> None:
        began = self._listener.read_at = self._loop.time()
        good = bad = 0
        for frame in self._framer.feed(bytes(self._listener.buffer[:nbytes])):
            if self._forwarder.accept(frame, self.listen.address, self._parse):
                good += 1
            else:
                bad += 1
        if good:
            self.useful_at = (True, began)
        if bad > good and not self._listener.stopping:
            self.transport.pause_reading()
            self._loop.call_later(
                self._listener.penalty * (self._loop.time() - began), self._read_again
            )

    def connection_lost(self, exc: Exception | None) -> None:
        truncated = self._framer.end()
        if truncated is not None:
            self._forwarder.accept(truncated, self.listen.address, self._parse)
        self._say("disconnected", f": {exc}" if exc else "")
        self._listener.closed(self)

    @property
    def unsent(self) -> int:
        """How many bytes the server has not taken yet."""
        return self.transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Write to the server."""
        self.transport.write(data)

    def _parse(self, frame: bytes) -> Uplink | Notice | None:
        """Parse a frame, and note whose it is: downlinks go the same way back."""
        parsed = self._known(frame)
        if isinstance(parsed, Uplink):
            self._listener.sender.note(parsed)
            if parsed.application not in self.applications:
                self._note(parsed.application)
        return parsed

    def _note(self, application: str) -> None:
        if len(self.applications) < _APPLICATIONS:
            self.applications.add(application)
            self._listener.claim(application)

    def _read_again(self) -> None:
        if not self._listener.paused:
            self.transport.resume_reading()

    def _say(self, what: str, reason: str = "") -> None:
        self._listener.log.log(
            logging.INFO, what, "network server %s %s%s", self.peer, what, reason
        )


def parser(listen: Listen, *, others: bool = False) -> Parse:
    """Return the parser of the frames that come to a listener."""
    return partial(parse, application=listen.application, others=others)


def parser_of(listens: Sequence[Listen]) -> Callable[[str], Parse]:
    """Return a function from a listener's address to the parser of the frames that came to it.

    An address that is configured no longer gets the AppEUI of the others, if they share one.
    """
    parsers = {listen.address: parser(listen) for listen in listens}
    applications = {listen.application for listen in listens}
    of_others = partial(parse, application=applications.pop() if len(applications) == 1 else None)
    return lambda address: parsers.get(address, of_others)


def _keep_alive(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side may have closed it just now
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEP_ALIVE.items():
            if hasattr(socket, name):  # not everywhere
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
