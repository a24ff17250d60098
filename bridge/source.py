"""Listens for network servers and passes the frames they write to the forwarder."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from bridge.config import Listen
from bridge.errors import BridgeError
from bridge.forwarder import Forwarder
from bridge.framing import Framer

_log = logging.getLogger(__name__)
_STOP_LIMIT = 2.0  # seconds


class Source:
    """The listening sockets and the connections that network servers have opened to them."""

    def __init__(self, listens: Sequence[Listen], forwarder: Forwarder) -> None:
        self._listens = listens
        self._forwarder = forwarder
        self._servers: list[asyncio.Server] = []
        self._connections: set[_Connection] = set()
        self._paused = False
        self._a_close = asyncio.Event()

    async def start(self) -> None:
        """Listen on every address.

        Raises:
            BridgeError: one of them is taken or not this host's.

        """
        loop = asyncio.get_running_loop()
        for listen in self._listens:

            def connection(application: str | None = listen.application) -> _Connection:
                return _Connection(self, self._forwarder, application)

            try:
                server = await loop.create_server(connection, listen.host, listen.port)
            except (OSError, UnicodeError) as error:  # UnicodeError: of a host name
                where = f"{listen.host}:{listen.port}"
                raise BridgeError(
                    f"cannot listen on {where}: {getattr(error, 'strerror', None) or error}"
                ) from None
            self._servers.append(server)

    def addresses(self) -> list[str]:
        """Return ``host:port`` of every listening socket."""
        sockets = [each for server in self._servers for each in server.sockets]
        return [_address(each.getsockname()) for each in sockets]

    def pause(self) -> None:
        """Read nothing until ``resume``; the network servers' writes fill the sockets and wait."""
        self._paused = True
        for connection in self._connections:
            connection.transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        for connection in self._connections:
            connection.transport.resume_reading()

    async def stop(self) -> None:
        """Stop listening, take what has already arrived, and close every connection."""
        for server in self._servers:
            server.close()
        for connection in self._connections:
            connection.finish_reading()
        # A network server that goes on writing, or a pause, must not hold the stop up.
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_LIMIT):
                while self._connections:
                    await self._a_close.wait()
                    self._a_close.clear()
        for connection in self._connections:
            connection.transport.abort()

    def opened(self, connection: "_Connection") -> None:
        """Note a new connection; one that comes in a pause waits like the others."""
        self._connections.add(connection)
        if self._paused:
            connection.transport.pause_reading()

    def closed(self, connection: "_Connection") -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        self._a_close.set()


class _Connection(asyncio.Protocol):
    """One network server's connection. It is never closed for what comes over it."""

    transport: asyncio.Transport

    def __init__(self, source: Source, forwarder: Forwarder, application: str | None) -> None:
        self._source = source
        self._forwarder = forwarder
        self._application = application
        self._framer = Framer()
        self._peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # what create_server makes
        self._peer = _address(transport.get_extra_info("peername"))
        _log.info("network server %s connected", self._peer)
        self._source.opened(self)

    def data_received(self, data: bytes) -> None:
        for frame in self._framer.feed(data):
            self._forwarder.accept(frame, self._application)

    def connection_lost(self, exc: Exception | None) -> None:
        truncated = self._framer.end()
        if truncated is not None:
            self._forwarder.accept(truncated, self._application)
        _log.info("network server %s disconnected%s", self._peer, f": {exc}" if exc else "")
        self._source.closed(self)

    def finish_reading(self) -> None:
        """Make the socket end after the bytes that have already arrived."""
        with suppress(OSError):  # the other side may have closed it just now
            self.transport.get_extra_info("socket").shutdown(socket.SHUT_RD)


def _address(name: tuple[object, ...] | str) -> str:
    if isinstance(name, str):
        return name
    host, port = name[0], name[1]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
