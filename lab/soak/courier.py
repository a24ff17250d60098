"""Gives requests for downlinks to subscribers as AWS IoT may: again, and in any order."""

import random
import threading
import time
from heapq import heappop, heappush
from itertools import count
from types import TracebackType
from typing import Self

from contract.deployment import UNNAMED
from lab.rig.scripted_broker import ScriptedBroker
from lab.soak.fates import device, request

_TICK = 0.005  # seconds
_LATE = 0.3  # seconds at most, by which requests overtake each other
_AGAIN = 5.0  # seconds, within which one comes again
_WITHOUT_SUBSCRIBER = 0.1  # seconds to the next look


class Courier:
    """Asks for ``rate`` downlinks a second; ``asked`` are their numbers.

    A request goes to any subscriber. One whose connection ends without the PUBACK comes again, to
    any that there is then. With ``repeats`` each comes up to so many times more, all the same.
    ``delivered`` is how many requests were delivered, repeated ones included.
    """

    def __init__(self, broker: ScriptedBroker, rate: float, repeats: int) -> None:
        self._broker = broker
        self._pause = 1 / rate
        self._repeats = repeats
        self._rng = random.Random(1)  # noqa: S311  # no secret comes of it
        self._due: list[tuple[float, int, bytes]] = []
        self._under_way: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.asked: list[int] = []
        self.delivered = 0

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
        """Ask for nothing more, once all was delivered and acknowledged."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        numbers, following = count(), time.monotonic()
        while not self._stop.is_set() or self._due or self._under_way:
            now = time.monotonic()
            if following <= now and not self._stop.is_set():
                following += self._pause
                self._ask(next(numbers), now)
            self._look_after(now)
            while self._due and self._due[0][0] <= now:
                _, number, payload = heappop(self._due)
                self._deliver(number, payload, now)
            time.sleep(_TICK)

    def _ask(self, number: int, now: float) -> None:
        payload = request(number)
        self.asked.append(number)
        heappush(self._due, (now + self._rng.uniform(0, _LATE), number, payload))
        for _ in range(self._rng.randint(0, self._repeats)):
            heappush(self._due, (now + self._rng.uniform(0, _AGAIN), number, payload))

    def _look_after(self, now: float) -> None:
        """Take back what was acknowledged, and what never will be."""
        there = set(self._broker.subscribers)
        for delivery, (number, payload) in list(self._under_way.items()):
            if delivery in self._broker.acknowledged:
                del self._under_way[delivery]
            elif delivery[0] not in there:
                del self._under_way[delivery]
                heappush(self._due, (now, number, payload))

    def _deliver(self, number: int, payload: bytes, now: float) -> None:
        subscribers = list(self._broker.subscribers)
        if not subscribers:
            heappush(self._due, (now + _WITHOUT_SUBSCRIBER, number, payload))
            return
        connection = self._rng.choice(subscribers)
        packet = self._broker.deliver(connection, UNNAMED.request_topic(device(number)), payload)
        self._under_way[connection, packet] = (number, payload)
        self.delivered += 1
