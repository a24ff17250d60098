"""Gives each uplink the one timestamp that it keeps for ever. Does no I/O.

Times are whole microseconds since 1970 in UTC.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec

from bridge.messages.uplink import Uplink
from contract.names import event_partition

_SECOND = 1_000_000
_MAX_AGE = 24 * 3600 * _SECOND
_MAX_LEAD = 300 * _SECOND
_LATEST = 253_370_764_800 * _SECOND  # year 9999, whose end is the last time that can be written
APART = 30 * _SECOND  # between gateways whose clocks agree

_Key = TypeVar("_Key", bytes, tuple[str, int])

REMEMBERED = 20_000
"""How many placements are remembered at least: the newest, about 10 MB."""


class Placement(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An uplink's place in its device's history.

    ``wanted`` is the time it asked for, ``given`` the one it got; ``digest`` is equal for two
    deliveries of one uplink, and empty where nothing tells them apart from two uplinks.
    """

    device: str
    wanted: int
    given: int
    digest: bytes


class Timestamper:
    """Places uplinks so that one delivered twice gets one timestamp, and two never share it.

    It remembers at least the newest ``remembered`` placements. Starting from the placements that
    an earlier run remembered continues that run.
    """

    def __init__(self, earlier: Iterable[Placement] = (), remembered: int = REMEMBERED) -> None:
        self._given = _Newest[bytes](remembered)  # by digest
        # (device, taken time) → a later time to look at for a free one.
        self._next = _Newest[tuple[str, int]](remembered)
        for placement in earlier:
            self._remember(placement)

    def place(self, uplink: Uplink, now: int) -> Placement:
        """Return the placement of ``uplink``, received by this host at ``now``."""
        device = f"{uplink.application}/{uplink.device}"
        if uplink.identity is not None:
            digest = _named(device, uplink.identity)
            return self._place(device, now if uplink.time is None else uplink.time, digest)
        plausible = [t for t in uplink.received_at if now - _MAX_AGE <= t <= now + _MAX_LEAD]
        # The host's own time differs at each delivery, so it cannot reveal a repetition.
        wanted = agreed(plausible) if plausible else now
        return self._place(device, wanted, _digest(device, wanted, uplink) if plausible else b"")

    def place_event(self, device: str, wanted: int, identity: str | None = None) -> Placement:
        """Return the placement of an event of ``APPEUI/MOTEEUI``, which are apart from uplinks."""
        events = event_partition(device)
        return self._place(events, wanted, _named(events, identity) if identity else b"")

    def _place(self, device: str, wanted: int, digest: bytes) -> Placement:
        wanted = min(wanted, _LATEST)  # there must be room to move on
        known = self._given.get(digest)
        if known is not None:
            return Placement(device, wanted, known, digest)
        placement = Placement(device, wanted, self._first_free(device, wanted), digest)
        self._remember(placement)
        return placement

    def _first_free(self, device: str, time: int) -> int:
        passed: list[int] = []
        while (after := self._next.get((device, time))) is not None:
            passed.append(time)
            time = after
        # Whoever comes this way again takes one step, however long it was.
        for each in passed[:-1]:
            self._next.change((device, each), time)
        return time

    def _remember(self, placement: Placement) -> None:
        device, wanted, given = placement.device, placement.wanted, placement.given
        if placement.digest:
            self._given.put(placement.digest, given)
        self._next.put((device, given), given + 1)
        if wanted != given:
            # A clock that stands still thus keeps its way past all the times it has used.
            self._next.put((device, wanted), given + 1)


class _Newest(Generic[_Key]):
    """Times by key: at least the newest ``remembered``, and fewer than twice as many.

    They are forgotten all at once: one by one that took a tenth of the forwarder's time.
    """

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._new: dict[_Key, int] = {}
        self._old: dict[_Key, int] = {}

    def __len__(self) -> int:
        return len(self._new) + len(self._old)

    def get(self, key: _Key) -> int | None:
        time = self._new.get(key)
        return self._old.get(key) if time is None else time

    def change(self, key: _Key, time: int) -> None:
        """Change a time that is remembered, which makes it no newer."""
        (self._new if key in self._new else self._old)[key] = time

    def put(self, key: _Key, time: int) -> None:
        self._new[key] = time
        if len(self._new) >= self._remembered:
            self._new, self._old = {}, self._new


def agreed(times: Sequence[int]) -> int:
    """Return when an uplink was received, by the gateways that agree with most others.

    An uplink reaches all gateways at once. If as many say one time as another, the later counts: a
    clock that was never set is behind. It is the earliest of those that agree. The host's clock has
    no say, so that the same uplink, delivered later, has the same time.
    """
    ordered = sorted(times)
    first, most = 0, (0, 0)  # how many agree, and the earliest of them
    for last, time in enumerate(ordered):
        while time - ordered[first] > APART:
            first += 1
        most = max(most, (last - first + 1, ordered[first]))
    return most[1]


def _named(device: str, identity: str) -> bytes:
    """Identify what its network server has named."""
    return blake2b(f"{device} {identity}".encode(errors="replace"), digest_size=16).digest()


def _digest(device: str, wanted: int, uplink: Uplink) -> bytes:
    """Identify an uplink by what two deliveries of it share."""
    named = f"{device} {wanted} {uplink.seqno} {uplink.port} ".encode()
    return blake2b(named + uplink.data, digest_size=16).digest()
