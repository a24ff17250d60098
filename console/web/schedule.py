"""When each device is to be looked at. Does no I/O; times are in microseconds since 1970."""

import heapq
from collections.abc import Container, Iterable

from console.store.devices import Listed
from console.web.overview import Look
from contract.times import parse_time

_SECOND = 1_000_000  # microseconds
BATCH = 400
"""Devices that are looked at together."""
_LATE = 10 * _SECOND  # until an uplink that is due is in the table
_SOONEST, _LATEST = 15 * _SECOND, 3600 * _SECOND  # until a device is looked at again
_UNKNOWN = 600 * _SECOND  # until one is looked at again of which nothing is expected


class Schedule:
    """When each device is to be looked at. Those that were never, the longest silent come first."""

    def __init__(self) -> None:
        self._due: list[tuple[int, str]] = []
        self._there: set[str] = set()

    def add(self, devices: Iterable[Listed]) -> None:
        """Take devices that may be new."""
        for each in devices:
            if each.device not in self._there:
                self._there.add(each.device)
                heapq.heappush(self._due, (parse_time(each.last_seen or "") or 0, each.device))

    def keep(self, devices: Container[str]) -> None:
        """Drop the devices that are none of these."""
        self._due = [each for each in self._due if each[1] in devices]
        heapq.heapify(self._due)
        self._there = {device for _, device in self._due}

    def take(self, now: int) -> list[str]:
        """Return some devices that are due, which are to be put back."""
        found: list[str] = []
        while self._due and self._due[0][0] <= now and len(found) < BATCH:
            found.append(heapq.heappop(self._due)[1])
        return found

    def put_back(self, device: str, due: int) -> None:
        """Plan the next look at a device."""
        heapq.heappush(self._due, (due, device))


def next_look(found: Look) -> int:
    """Return when a device is worth another look: when its next uplink should be there."""
    now, interval = found.looked, found.expected.interval
    if interval is None or found.last is None:
        return now + _UNKNOWN
    due = found.last + interval + _LATE
    if due < now:  # late: the longer, the less often it is looked for
        due = now + interval // 2
    return min(max(due, now + _SOONEST), now + _LATEST)
