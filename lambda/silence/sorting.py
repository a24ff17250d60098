"""Goes through the list of devices, which may be long, and keeps who is to be looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

from contract.device_list import SEEN_EVERY
from contract.names import CHECK_APPLICATION
from contract.silence import WATCHED_EVERY, Intervals, patience
from silence.known import Device, Memory, Network
from silence.most import Most, Rate

_RUNS_A_DAY = 86_400_000_000 // WATCHED_EVERY
_LATE = 600_000_000  # microseconds that the list may be behind
_LOOKS = 10_000  # at devices that are overdue, and as many at those of which something is to learn
_SAMPLE = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """What a run goes by: what is said of intervals, the network, the memory, the time."""

    intervals: Intervals
    network: Network
    memory: Memory
    now: int

    def is_settled(self, name: str) -> bool:
        """Say whether a device needs no look, as far as is remembered."""
        return self.memory.is_settled(name, self.now)

    def is_turn(self, name: str) -> bool:
        """Say whether a device is to be learnt anew, as each is once a day."""
        return crc32(name.encode()) % _RUNS_A_DAY == self.now // WATCHED_EVERY % _RUNS_A_DAY


class Sorted:
    """Who is to be looked at, and what the list alone tells.

    ``overdue`` and ``unlearnt`` are to be looked at. ``sample`` are busy ones that need no look.
    Some are ``back``, some ``unwatched`` by now although people were told that they are silent.
    ``silent`` counts those that people know of, ``quiet`` those that are overdue while all of the
    network is. ``newest`` is when any device was last heard, as far as the list tells.
    """

    def __init__(self, devices: Iterable[Device], moment: Moment) -> None:
        self._moment = moment
        self.overdue = Most(_LOOKS)
        self.unlearnt = Most(_LOOKS)
        self.sample = Most(_SAMPLE)
        self.back: list[Device] = []
        self.unwatched: list[Device] = []
        self.silent = self.quiet = self.newest = 0
        self.rate = Rate()
        for device in devices:
            if not device.name.startswith(f"{CHECK_APPLICATION}/"):
                self._take(device)

    def _take(self, device: Device) -> None:
        self.newest = max(self.newest, device.last_seen, device.silent_since or 0)
        said = self._moment.intervals.said(device.name)
        interval = said.interval if said else device.interval
        missed = (said or self._moment.intervals).missed
        if said and interval is None:
            if device.silent_since is not None:
                self.unwatched.append(device)
        elif device.silent_since is not None:
            self._take_silent(device, device.silent_since)
        elif self._moment.network.silent_since is not None:
            if interval is not None:
                self._take_quiet(device, interval, self._moment.network.silent_since, missed)
        elif interval is None:
            if not self._moment.is_settled(device.name):
                self.unlearnt.add(device.last_seen, device)
        else:
            self._take_known(device, interval, missed, is_said=said is not None)

    def _take_silent(self, device: Device, since: int) -> None:
        """Look whether it is back while the list may not tell, if there is time after others."""
        if device.last_seen > since:
            self.back.append(device)
            return
        self.silent += 1
        may_be_back = self._moment.now <= device.last_seen + SEEN_EVERY + _LATE
        if may_be_back and self._moment.network.silent_since is None:
            self.overdue.add(since - self._moment.now, device)

    def _take_quiet(self, device: Device, interval: int, since: int, missed: int) -> None:
        """Look at the busiest alone: whether the network is back."""
        self.sample.add(-interval, device)
        self.quiet += self._moment.now > since + patience(interval, missed)

    def _take_known(self, device: Device, interval: int, missed: int, *, is_said: bool) -> None:
        now = self._moment.now
        self.rate.add(interval)
        counted = max(device.last_seen, self._moment.network.heard_again)
        overdue = now - counted - patience(interval, missed)
        if overdue > 0 and not self._moment.is_settled(device.name):
            self.overdue.add(overdue, device)
        elif not is_said and self._moment.is_turn(device.name):
            self.unlearnt.add(device.last_seen, device)
        else:
            self.sample.add(-interval, device)
