"""What a long list is boiled down to: a few of its devices, and how many uplinks should come."""

from dataclasses import dataclass
from heapq import heappush, heappushpop

from silence.known import Device


class Most:
    """Keeps so many devices, those with the greatest keys."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[float, str, Device]] = []

    def add(self, key: float, device: Device) -> None:
        """Take a device; where there is no room, that with the least key gives way."""
        entry = (key, device.name, device)  # no two have the same name
        if len(self._heap) < self._size:
            heappush(self._heap, entry)
        else:
            heappushpop(self._heap, entry)

    @property
    def devices(self) -> list[Device]:
        """Return them, the greatest first."""
        return [device for _, _, device in sorted(self._heap, reverse=True)]


@dataclass
class Rate:
    """How many uplinks should come in a microsecond, of all devices and of the busiest."""

    total: float = 0.0
    busiest: float = 0.0

    def add(self, interval: int) -> None:
        """Count a device that reports that often."""
        self.total += 1 / interval
        self.busiest = max(self.busiest, 1 / interval)

    def missed(self, time: int) -> float:
        """Return how many should have come in a time, even if the busiest device had died."""
        return (self.total - self.busiest) * time
