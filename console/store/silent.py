"""Says which devices are silent, from what is read of them. Does no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.store.devices import Listed
from contract.names import CHECK_APPLICATION
from contract.silence import Expected, Intervals
from contract.times import format_span, format_time, parse_time


@dataclass(frozen=True, slots=True)
class Silent:
    """A device that is silent since its newest uplink, and how many it has missed since.

    ``every`` is its usual interval, such as 15m.
    """

    device: str
    silent_since: str
    every: str
    missed: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a device: when its newest uplink came, and how often it reports."""

    device: str
    newest: int | None
    expected: Expected

    @property
    def is_known(self) -> bool:
        """Say whether it can be told to be silent or not."""
        return self.newest is not None and self.expected.interval is not None

    def silent(self, now: int) -> Silent | None:
        """Return what there is to tell of it, if it is silent now, in microseconds since 1970."""
        interval = self.expected.interval
        if self.newest is None or interval is None:
            return None
        if self.expected.silent_since(self.newest, now) is None:
            return None
        missed = (now - self.newest) // interval
        return Silent(self.device, format_time(self.newest), format_span(interval), missed)


def is_open(listed: Listed, intervals: Intervals, now: int) -> bool:
    """Say whether the uplinks of a device must be looked at: list and file do not clear it.

    The test uplinks of ``lora-bridge check`` come when somebody runs it.
    """
    if listed.device.startswith(f"{CHECK_APPLICATION}/"):
        return False
    said = intervals.said(listed.device)
    if said is None:
        return True
    return said.silent_since(parse_time(listed.last_seen or "") or 0, now) is not None


def standing(listed: Listed, times: Sequence[int], intervals: Intervals) -> Standing:
    """Return how a device stands, by the times of its newest uplinks: some may have expired."""
    seen = parse_time(listed.last_seen or "")
    newest = max([*times, *([] if seen is None else [seen])], default=None)
    expected = intervals.expected(listed.device, times, listed.interval)
    return Standing(listed.device, newest, expected)
