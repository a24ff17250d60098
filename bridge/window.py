"""The messages of one connection that are ready to be published, and how many are under way."""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from bridge.spool import Waiting


class Window:
    """Publishes in order, ``limit`` at most without an answer, while it is open.

    Filled by the event loop; the SDK's thread, on which answers arrive, publishes the next one at
    once. Leaving that to the event loop halves the rate: each hand-over between threads costs
    more than a publish.
    """

    def __init__(self, limit: int, publish: Callable[[Waiting], None]) -> None:
        self._limit = limit
        self._publish = publish
        self._lock = threading.RLock()  # a publish that fails at once ends inside `_fill`
        self._open = False
        self._ready: deque[Waiting] = deque()
        self._under_way = 0
        self.ready_bytes = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is ready or under way."""
        return not self._ready and not self._under_way

    def add(self, messages: Iterable[Waiting]) -> None:
        """Publish these after the others."""
        with self._lock:
            for each in messages:
                self._ready.append(each)
                self.ready_bytes += each.size
        self._fill()

    def take_back(self, messages: Iterable[Waiting]) -> None:
        """Publish these, older than some of the others, where they belong among them."""
        with self._lock:
            returned = list(messages)
            self._ready = deque(sorted([*returned, *self._ready], key=lambda each: each.id))
            self.ready_bytes += sum(each.size for each in returned)
        self._fill()

    def open(self) -> None:
        """Begin to publish."""
        self._open = True
        self._fill()

    def close(self) -> None:
        """Publish nothing more until it is opened."""
        self._open = False

    def answered(self) -> None:
        """Make room: a publish has ended."""
        with self._lock:
            self._under_way -= 1
        self._fill()

    def _fill(self) -> None:
        with self._lock:
            while self._open and self._ready and self._under_way < self._limit:
                waiting = self._ready.popleft()
                self.ready_bytes -= waiting.size
                self._under_way += 1
                self._publish(waiting)
