"""Decides what is told and what is written, from the list of devices and a few looks at uplinks.

Does no I/O but by the looks that it is given.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contract.silence import Expected
from silence.known import Device, Network
from silence.sorting import Moment, Sorted

Look = Callable[[Sequence[str]], Mapping[str, Sequence[int]]]
"""Returns when the newest uplinks of devices came, as far as there was time to look."""
_MINUTE = 60_000_000
_SOONEST, _LATEST = 15 * _MINUTE, 24 * 60 * _MINUTE
"""After what times a device of which too little is known is looked at again."""
_SURE = 3
"""Uplinks of others that must be missing before all of the network is said to be silent."""


@dataclass(frozen=True, slots=True)
class Fallen:
    """A device that has fallen silent: its newest uplink, how often it usually reports.

    It has missed ``missed`` uplinks or more.
    """

    name: str
    newest: int
    interval: int
    missed: int


@dataclass
class Outcome:
    """What a run found. ``fallen``, ``back`` and a change of the network are to be told.

    ``network`` is how it stands by now. ``back`` says when each was heard. ``unwatched`` were
    silent, and nothing is expected of them any more. ``learnt`` are intervals to be noted.
    ``silent`` counts the devices that are silent now.
    """

    network: Network
    fallen: list[Fallen] = field(default_factory=list)
    back: dict[str, int] = field(default_factory=dict)
    unwatched: list[str] = field(default_factory=list)
    learnt: dict[str, int] = field(default_factory=dict)
    silent: int = 0


def watch(devices: Iterable[Device], moment: Moment, look: Look) -> Outcome:
    """Find who has fallen silent, and who is back."""
    moment.memory.forget(moment.now)
    run = _Run(Sorted(devices, moment), moment, look)
    if moment.network.silent_since is None:
        run.look_at_all()
    else:
        run.look_for_signs(moment.network.silent_since)
    return run.outcome


class _Run:
    def __init__(self, found: Sorted, moment: Moment, look: Look) -> None:
        self._sorted = found
        self._moment = moment
        self._look = look
        self._newest = found.newest
        self.outcome = Outcome(
            moment.network,
            back={each.name: each.last_seen for each in found.back},
            unwatched=[each.name for each in found.unwatched],
            silent=found.silent,
        )

    def look_at_all(self) -> None:
        """Look at each that is overdue, or of which there is something to learn."""
        devices = [*self._sorted.overdue.devices, *self._sorted.unlearnt.devices]
        times = self._look([each.name for each in devices])
        for device in devices:
            if device.name in times:
                self._judge(device, times[device.name])
        outcome = self.outcome
        outcome.silent += len(outcome.fallen)
        if outcome.fallen and self._is_network_silent():
            outcome.network = Network(silent_since=self._newest)
            outcome.fallen = []

    def look_for_signs(self, since: int) -> None:
        """Look whether the network is back: at the list, and at the busiest devices."""
        self._take_sample()
        if self._newest > since:
            self.outcome.network = Network(heard_again=self._moment.now)
        else:
            self.outcome.silent += self._sorted.quiet

    def _judge(self, device: Device, times: Sequence[int]) -> None:
        moment = self._moment
        newest = max([*times, device.last_seen])
        self._newest = max(self._newest, newest)
        expected = moment.intervals.expected(device.name, times, device.interval)
        self._learn(device, expected)
        if device.silent_since is not None:
            if newest > device.silent_since:
                self.outcome.back[device.name] = newest
                self.outcome.silent -= 1
            return
        if expected.interval is None or expected.patience is None:
            age = moment.now - device.last_seen
            moment.memory.settle(device.name, moment.now + min(max(age, _SOONEST), _LATEST))
            return
        due = max(newest, moment.network.heard_again) + expected.patience
        if moment.now <= due:
            moment.memory.settle(device.name, due)
        else:
            fallen = Fallen(device.name, newest, expected.interval, expected.missed)
            self.outcome.fallen.append(fallen)

    def _learn(self, device: Device, expected: Expected) -> None:
        """Note an interval that was not known; once a day also one that has changed."""
        learnt, known = expected.interval, device.interval
        if learnt is None or self._moment.intervals.said(device.name) is not None:
            return
        if known is None:
            self._sorted.rate.add(learnt)
        elif 4 * abs(learnt - known) <= known or not self._moment.is_turn(device.name):
            return
        self.outcome.learnt[device.name] = learnt

    def _is_network_silent(self) -> bool:
        """Say whether nothing came while one of those who fell missed its last uplink.

        Its first ones may have been lost on the air. Where little comes, nothing may be missing.
        """
        since = self._moment.network.heard_again
        last = max(
            max(each.newest, since) + (each.missed - 1) * each.interval
            for each in self.outcome.fallen
        )
        if self._newest <= last:
            self._take_sample()
        missed = self._sorted.rate.missed(self._moment.now - self._newest)
        return self._newest <= last and missed >= _SURE

    def _take_sample(self) -> None:
        times = self._look([each.name for each in self._sorted.sample.devices])
        self._newest = max([self._newest, *(max(each, default=0) for each in times.values())])
