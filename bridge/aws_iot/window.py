"""The messages of one connection that are ready to be published, and how many are under way."""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from bridge.spool.waiting import Waiting


class Window:
    """Publishes in order, ``limit`` at most without an answer, while it is open.

    Under load each answer brings about the next publish, on the SDK's own thread: leaving that to
    the event loop halves the rate, since each hand-over between threads costs more than a publish.
    Otherwise the event loop publishes at once. The SDK keeps the order of one thread's publishes
    only, so that answers take over when the event loop's last publish has been answered, and the
    event loop begins again when nothing is under way.
    """

    def __init__(self, limit: int, publish: Callable[[Waiting], None]) -> None:
        self._limit = limit
        self._alone = 0  # messages to come, each of which is published alone
        self._publish = publish
        self._lock = threading.RLock()  # a publish may be answered before it returns
        self._filling = False
        self._open = False
        self._ready: deque[Waiting] = deque()
        self._under_way: dict[int, Waiting] = {}  # by id, in the order of publishing
        self._last_of_loop: int | None = None  # id of its last publish, until that is answered
        self.ready_bytes = 0

    @property
    def under_way(self) -> int:
        """How many publishes have no answer yet."""
        with self._lock:  # an answer may just be bringing about the next publish
            return len(self._under_way)

    @property
    def first_under_way(self) -> Waiting | None:
        """What was published first of what has no answer yet."""
        with self._lock:
            return next(iter(self._under_way.values()), None)

    def one_at_a_time(self, messages: int) -> None:
        """Publish so many messages each by itself, and then as many as usual."""
        self._alone = messages

    def delivered(self, messages: int) -> None:
        """Note how many messages have been delivered."""
        self._alone = max(0, self._alone - messages)

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
            self._fill_from_loop()

    def take_back(self, messages: Iterable[Waiting]) -> None:
        """Publish these, older than some of the others, where they belong among them."""
        with self._lock:
            returned = list(messages)
            self._ready = deque(sorted([*returned, *self._ready], key=lambda each: each.id))
            self.ready_bytes += sum(each.size for each in returned)
            self._fill_from_loop()

    def open(self) -> None:
        """Begin to publish."""
        with self._lock:
            self._open = True
            self._fill_from_loop()

    def close(self) -> None:
        """Publish nothing more until it is opened."""
        self._open = False

    def answered(self, waiting: Waiting) -> None:
        """Make room, on the SDK's thread: a publish has ended."""
        with self._lock:
            del self._under_way[waiting.id]
            if waiting.id == self._last_of_loop:
                self._last_of_loop = None
            if self._last_of_loop is None and not self._filling:
                self._fill()

    def _fill_from_loop(self) -> None:
        if self._last_of_loop is not None or not self._under_way:
            self._fill(from_loop=True)

    def _fill(self, *, from_loop: bool = False) -> None:
        self._filling = True
        while (
            self._open
            and self._ready
            and len(self._under_way) < (1 if self._alone else self._limit)
        ):
            waiting = self._ready.popleft()
            self.ready_bytes -= waiting.size
            self._under_way[waiting.id] = waiting
            if from_loop:
                self._last_of_loop = waiting.id
            self._publish(waiting)
        self._filling = False
