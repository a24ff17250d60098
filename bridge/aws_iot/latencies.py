"""How long AWS IoT took to acknowledge, counted into buckets. Does no I/O."""

from bisect import bisect_left
from collections.abc import Iterable

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: upper bounds of the buckets but the last, which is for all that took longer."""


class Latencies:
    """Counts of times, of one thread."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def note(self, seconds: float) -> None:
        """Count a time."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


def added(several: Iterable[Latencies]) -> Latencies:
    """Return the counts of all."""
    total = Latencies()
    for each in several:
        total.counts = [a + b for a, b in zip(total.counts, each.counts, strict=True)]
        total.seconds += each.seconds
    return total
