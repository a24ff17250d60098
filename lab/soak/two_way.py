"""A network server that takes downlinks between its frames, and somebody who asks for them."""

import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from types import TracebackType
from typing import Self

from lab.rig.requests import Ask
from lab.soak.fates import device, is_confirmed, read, request
from lab.soak.sender import Sender

_READ = 65_536  # bytes
_CLOSE_LIMIT = 5.0  # seconds for the bridge to close its side
_READING = 0.5  # seconds at most between the bridge's write and the reading here
_DELAY = 0.05  # seconds at most to an answer
_ANSWERED = 0.95  # of downlinks; of the others nothing is ever told


class TwoWay(Sender):
    """Writes frames as ``Sender`` does, takes downlinks, and answers most of them.

    ``written`` counts how often each was written to it, by the number of its request. Those that
    are ``overdue`` came after their expiry.
    """

    def __init__(
        self,
        port: int,
        rate: float,
        frame: Callable[[int], bytes],
        answered: float = _ANSWERED,
        on_taken: Callable[[int], object] = lambda _number: None,
    ) -> None:
        super().__init__(port, rate, frame)
        self.written = Counter[int]()
        self.overdue = set[int]()
        self._answered = answered
        self._on_taken = on_taken
        self._rng = random.Random(1)  # noqa: S311  # no secret comes of it
        self._tail = b""
        self._answers: list[tuple[float, bytes]] = []

    def _write(self, bridge: socket.socket) -> None:
        self._tail, self._answers = b"", []
        try:
            super()._write(bridge)
        finally:
            self._read_out(bridge)

    def _gone(self, bridge: socket.socket) -> bool:
        """Take and answer what there is; return whether the bridge has gone."""
        try:
            data = bridge.recv(_READ, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._answer(bridge)
            return False
        self.take(data)
        return data == b""

    def _answer(self, bridge: socket.socket) -> None:
        while self._answers and self._answers[0][0] <= time.monotonic():
            bridge.sendall(heappop(self._answers)[1])

    def _read_out(self, bridge: socket.socket) -> None:
        """Count what the bridge has written before it had noticed that nobody answers any more."""
        with suppress(OSError):
            bridge.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            bridge.settimeout(_CLOSE_LIMIT)
            while data := bridge.recv(_READ):
                self.take(data)

    def take(self, data: bytes) -> None:
        """Count what the bridge has written, and plan the answers."""
        *frames, self._tail = (self._tail + data).split(b"\0")
        for each in frames:
            ((_, content),) = json.loads(each).items()
            number, expires = read(content)
            self.written[number] += 1
            if time.time() > expires / 1_000_000 + _READING:
                self.overdue.add(number)
            self._on_taken(number)
            if self._rng.random() < self._answered:
                self._plan(content, number)

    def _plan(self, content: dict[str, object], number: int) -> None:
        at = time.monotonic() + self._rng.uniform(0, _DELAY)
        mote = {"eui": content["moteeui"], "app": True}
        heappush(self._answers, (at, _frame({**mote, "msgsent": content["token"]})))
        if is_confirmed(number) and self._rng.random() < self._answered:
            heappush(self._answers, (at + _DELAY, _frame({**mote, "ackrx": True})))


class Asking:
    """Asks for ``rate`` downlinks a second, for the devices in turn; ``asked`` are their numbers.

    Each is asked for until the broker has taken it.
    """

    def __init__(self, ask: Ask, rate: float) -> None:
        self._ask = ask
        self._pause = 1 / rate
        self._numbers = count()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.asked: list[int] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask for nothing more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            number = next(self._numbers)
            self._ask(device(number), request(number))
            self.asked.append(number)


def _frame(mote: dict[str, object]) -> bytes:
    return json.dumps({"mote": mote}).encode() + b"\0"
