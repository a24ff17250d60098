"""A TCP proxy that can be taken away or made a black hole, for what happens when a link fails."""

import socket
import threading
from contextlib import suppress

_CHUNK = 65_536


class Proxy:
    """Passes connections on from ``port`` to ``target``; closed until ``open``."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.target = target
        self._server: socket.socket | None = None
        self._sockets: list[socket.socket] = []
        self._thawed = threading.Event()
        self._thawed.set()

    def open(self) -> None:
        """Begin to accept connections."""
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def close(self) -> None:
        """Break every connection and refuse new ones."""
        self._thawed.set()
        for each in (self._server, *self._sockets):
            if each is not None:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
        self._server = None
        self._sockets.clear()

    def freeze(self) -> None:
        """Pass nothing on: connections stay open, new ones too, and nobody answers."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Pass everything on again, what has come in the meantime first."""
        self._thawed.set()

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = server.accept()
                upstream = socket.create_connection(("127.0.0.1", self.target))
                self._sockets += [client, upstream]
                for ends in ((client, upstream), (upstream, client)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):  # closed
            while data := source.recv(_CHUNK):
                self._thawed.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
