"""Looks at devices when they are due, as long as somebody looks at the pages."""

import heapq
import logging
import time
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Self

from console.store.devices import Listed, listed
from console.store.recent import recent
from console.web.overview import Look, look
from contract.errors import BridgeError
from contract.names import CHECK_APPLICATION
from contract.silence import AHEAD, Intervals
from contract.times import parse_time

_SECOND = 1_000_000  # microseconds
_BATCH = 400  # devices
_LIST_EVERY = 60 * _SECOND
_LATE = 10 * _SECOND  # until an uplink that is due is in the table
_SOONEST, _LATEST = 15 * _SECOND, 3600 * _SECOND  # until a device is looked at again
_UNKNOWN = 600 * _SECOND  # until one is looked at again of which nothing is expected
_ATTENTION = 60.0  # seconds that a page counts as looked at
_REST = 10.0  # seconds after AWS has refused
_GOODBYE = 1.0  # seconds for what is being asked when this ends
_log = logging.getLogger(__name__)


class Known:
    """What is known of all devices, and which of it is news since a version."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._version = 1
        self._whole = 1  # an older version has other devices
        self._looks: dict[str, tuple[int, Look]] = {}
        self.listed: dict[str, int | None] | None = None
        """Every device, and about when it was seen last; None before they are known."""

    def put(self, found: Look) -> None:
        """Take what was found of a device."""
        with self._lock:
            self._version += 1
            self._looks[found.device] = (self._version, found)

    def list(self, devices: dict[str, int | None]) -> None:
        """Take the devices that there are; others are forgotten."""
        with self._lock:
            for device in self._looks.keys() - devices.keys():
                del self._looks[device]
            if self.listed is None or self.listed.keys() != devices.keys():
                self._version += 1
                self._whole = self._version
            self.listed = devices

    def since(self, version: int) -> "News":
        """Return what is news since a version; all of it where there are other devices since."""
        with self._lock:
            whole = not self._whole <= version <= self._version
            found = [each for number, each in self._looks.values() if whole or number > version]
            return News(self._version, whole, found)

    @property
    def count(self) -> int:
        """How many devices were looked at."""
        return len(self._looks)

    def get(self, device: str) -> Look | None:
        """Return what is known of a device, None before it was looked at."""
        with self._lock:
            found = self._looks.get(device)
            return found[1] if found else None


@dataclass(frozen=True, slots=True)
class News:
    """What is new of devices, or all of it: ``whole``; and the ``version`` to ask with again."""

    version: int
    whole: bool
    looks: list[Look]


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
        while self._due and self._due[0][0] <= now and len(found) < _BATCH:
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


class Watcher:
    """A thread that keeps what is known of all devices, while it is asked for.

    ``tables`` are the names of that of the uplinks and that of the devices.
    """

    def __init__(
        self, tables: tuple[str, str], intervals: Intervals, clock: Callable[[], int]
    ) -> None:
        self.known = Known()
        self.problem = ""
        """Why AWS could not be asked the last time, empty if it could."""
        self._uplinks, self._devices = tables
        self._intervals = intervals
        self._clock = clock
        self._schedule = Schedule()
        self._listed: dict[str, Listed] = {}
        self._list_due = 0
        self._asked = 0.0
        self._wanted = Event()
        self._ended = Event()
        self._thread = Thread(target=self._run, name="watcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._wanted.set()
        self._thread.join(_GOODBYE)

    def ask(self) -> Known:
        """Return what is known, and go on looking for a while."""
        self._asked = time.monotonic()
        self._wanted.set()
        return self.known

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wanted.clear()
            if time.monotonic() - self._asked > _ATTENTION:
                self._wanted.wait()
                continue
            try:
                rest = self._look()
                self.problem = ""
            except BridgeError as error:
                self.problem = str(error)
                _log.warning("%s", error)
                rest = _REST
            except Exception as error:  # noqa: BLE001  # nobody else would hear of it
                self.problem = f"a mistake in this program: {error!r}"
                _log.exception("a mistake in this program")
                rest = _REST
            self._ended.wait(rest)

    def _look(self) -> float:
        """Look at some devices; return in how many seconds to go on.

        Raises:
            BridgeError: AWS refuses or does not answer.

        """
        now = self._clock()
        if now >= self._list_due:
            self._read_list()
            self._list_due = now + _LIST_EVERY
        batch = self._schedule.take(now)
        rest = 0.0 if len(batch) == _BATCH else 1.0  # there are more
        try:
            for found in recent(self._uplinks, batch, until=now + AHEAD):
                noted = self._listed[found.device]
                last_seen = parse_time(noted.last_seen or "")
                now = self._clock()
                seen = look(found, last_seen, self._intervals, now, noted.interval)
                self.known.put(seen)
                batch.remove(found.device)
                self._schedule.put_back(found.device, next_look(seen))
                if self._ended.is_set():
                    break
        finally:
            for device in batch:  # which AWS did not answer for
                self._schedule.put_back(device, now)
        return rest

    def _read_list(self) -> None:
        found = [
            each
            for each in listed(self._devices)
            if not each.device.startswith(f"{CHECK_APPLICATION}/")
        ]
        self._listed = {each.device: each for each in found}
        self.known.list({each.device: parse_time(each.last_seen or "") for each in found})
        self._schedule.keep(self._listed)
        self._schedule.add(found)
