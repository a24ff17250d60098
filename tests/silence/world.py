"""Devices that report, the list of them as the decoder keeps it, and runs of the function."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from silence.judging import Outcome, watch
from silence.known import Device, Memory, Network
from silence.sorting import Moment
from silence.telling import message

from contract.deployment import UNNAMED
from contract.device_list import SEEN_EVERY
from contract.silence import AHEAD, LOOKED_AT, Intervals

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_795_000_000_000_000


class World:
    """A network whose devices' uplinks are stored, and what people were told.

    Uplinks expire when they are older than ``retention``.
    """

    def __init__(self, intervals: Intervals | None = None, retention: int = 999 * DAY) -> None:
        self.intervals = intervals or Intervals()
        self.retention = retention
        self.uplinks: dict[str, list[int]] = {}
        self.list: dict[str, Device] = {}
        self.network = Network()
        self.memory = Memory()
        self.told: list[str] = []
        self.looks: list[str] = []
        self.time_for = 100_000
        self._now = 0

    def hear(self, name: str, *times: int) -> None:
        """Store uplinks of a device, and note it in the list if that was not done lately."""
        for time in times:
            self.uplinks.setdefault(name, []).append(time)
            known = self.list.get(name)
            if known is None:
                self.list[name] = Device(name, time)
            elif time - known.last_seen >= SEEN_EVERY:
                self.list[name] = replace(known, last_seen=time)

    def hear_regularly(self, name: str, every: int, first: int, last: int) -> None:
        """Store uplinks of a device from a time to another, the last of them at its end."""
        self.hear(name, *reversed(range(last, first - 1, -every)))

    def run(self, now: int) -> Outcome:
        """Run the function once, and write what it says; people are told."""
        self._now = now
        self.looks.clear()
        before = self.network
        moment = Moment(self.intervals, before, self.memory, now)
        outcome = watch([*self.list.values()], moment, self._look)
        told = message(outcome, before, UNNAMED)
        if told is not None:
            self.told.append(told.subject.removeprefix("lora-bridge: "))
        self.write(outcome)
        return outcome

    def run_until(self, first: int, last: int, every: int = 5 * MINUTE) -> None:
        """Run the function every few minutes; nothing is heard meanwhile."""
        for now in range(first, last, every):
            self.run(now)

    def write(self, outcome: Outcome) -> None:
        """Write into the list what was found."""
        self.network = outcome.network
        for name, interval in outcome.learnt.items():
            self.list[name] = replace(self.list[name], interval=interval)
        for each in outcome.fallen:
            self.list[each.name] = replace(self.list[each.name], silent_since=each.newest)
        for name in (*outcome.back, *outcome.unwatched):
            self.list[name] = replace(self.list[name], silent_since=None)

    @property
    def silent(self) -> set[str]:
        """The devices that people know to be silent."""
        return {name for name, each in self.list.items() if each.silent_since is not None}

    def _look(self, names: Sequence[str]) -> Mapping[str, Sequence[int]]:
        looked_at = names if self.looks else names[: self.time_for]  # there is for a sample
        self.looks += looked_at
        return {name: self._stored(name)[-LOOKED_AT:] for name in looked_at}

    def _stored(self, name: str) -> list[int]:
        """Return those uplinks of a device that have come and have not expired."""
        first, last = self._now - self.retention, self._now + AHEAD
        return sorted(time for time in self.uplinks.get(name, []) if first < time <= last)
