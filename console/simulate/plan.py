"""How much is simulated, and at what pace."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")
TICK = 0.02  # seconds between bursts


@dataclass(frozen=True)
class Plan:
    """What to send: ``rate`` uplinks a second, ``total`` of them or, if None, for ever.

    The share ``lose`` of downlinks is never answered.
    """

    devices: int
    rate: float
    total: int | None
    lose: float = 0.0


def paced(source: Iterator[_T], plan: Plan) -> Iterator[list[_T]]:
    """Yield what is due at each moment; nothing at times, so that downlinks are answered."""
    source = islice(source, plan.total)
    started = time.monotonic()
    taken = 0
    while True:
        due = int((time.monotonic() - started) * plan.rate) + 1 - taken
        batch = list(islice(source, due))
        taken += len(batch)
        yield batch
        if taken == plan.total:
            return
        time.sleep(TICK)
