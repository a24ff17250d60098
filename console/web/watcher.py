"""Looks at devices when they are due, as long as somebody looks at the pages."""

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Self

from console.store.devices import Listed, listed
from console.store.recent import recent
from console.web.known import Known
from console.web.overview import look
from console.web.schedule import BATCH, Schedule, next_look
from contract.errors import BridgeError
from contract.names import CHECK_APPLICATION
from contract.silence import AHEAD, Intervals
from contract.times import parse_time

_SECOND = 1_000_000  # microseconds
_LIST_EVERY = 60 * _SECOND
_ATTENTION = 60.0  # seconds that a page counts as looked at
_REST = 10.0  # seconds after AWS has refused
_GOODBYE = 1.0  # seconds for what is being asked when this ends
_log = logging.getLogger(__name__)


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
        rest = 0.0 if len(batch) == BATCH else 1.0  # there are more
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
