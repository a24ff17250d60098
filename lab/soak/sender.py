"""Network servers that number their frames, each in a thread of its own."""

import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Self

_TICK = 0.005  # seconds between writes
_BLOCK = 100  # frames that a flood writes at once
_CONNECT_EVERY = 0.02  # seconds
_CLOSE_LIMIT = 60.0  # seconds for the bridge to read what was written


class _NetworkServer(ABC):
    """Writes ``frame(number)`` to a bridge, for numbers from 0.

    It connects anew whenever it must, as network servers do, and then goes on with the next
    frame.
    """

    def __init__(self, port: int, frame: Callable[[int], bytes]) -> None:
        self._port = port
        self._frame = frame
        self._stop = threading.Event()
        self._thread = threading.Thread()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to write, or go on after a stop."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Write nothing more, and wait until the bridge has read what was written."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port)) as bridge:
                self._write(bridge)
                bridge.shutdown(socket.SHUT_WR)
                bridge.settimeout(_CLOSE_LIMIT)
                bridge.recv(1)
            self._stop.wait(_CONNECT_EVERY)

    @abstractmethod
    def _write(self, bridge: socket.socket) -> None:
        """Write until stopped, or until the bridge has gone."""


class Sender(_NetworkServer):
    """Writes ``rate`` frames a second, each by itself.

    ``sent_at`` has the monotonic time of each write, by the frame's number.
    """

    def __init__(self, port: int, rate: float, frame: Callable[[int], bytes]) -> None:
        super().__init__(port, frame)
        self._rate = rate
        self._numbers = count()
        self.sent_at: dict[int, float] = {}

    def _write(self, bridge: socket.socket) -> None:
        for number in self._due():
            if self._gone(bridge):
                return
            written_at = time.monotonic()
            bridge.sendall(self._frame(number))
            self.sent_at[number] = written_at

    def _gone(self, bridge: socket.socket) -> bool:
        """Return whether the bridge has gone: TCP takes one more write then, and drops it."""
        try:
            return bridge.recv(1, socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False

    def _due(self) -> Iterator[int]:
        """Yield numbers at the rate, counted from now."""
        started, written = time.monotonic(), 0
        while not self._stop.wait(_TICK):
            due = int((time.monotonic() - started) * self._rate)
            for _ in range(due - written):
                yield next(self._numbers)
            written = max(due, written)


class Flood(_NetworkServer):
    """Writes as fast as the bridge reads. ``begun`` is how many frames it has begun to write."""

    def __init__(self, port: int, frame: Callable[[int], bytes]) -> None:
        super().__init__(port, frame)
        self.begun = 0

    def _write(self, bridge: socket.socket) -> None:
        while not self._stop.is_set():
            first, self.begun = self.begun, self.begun + _BLOCK
            bridge.sendall(b"".join(map(self._frame, range(first, self.begun))))
