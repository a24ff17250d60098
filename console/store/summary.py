"""What a device has done in a period, and how well it was heard. Does no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from contract.names import SORT_KEY
from contract.rows import Row, number

_LATELY = 1000  # seqnos: what comes later than that is a new beginning


@dataclass(frozen=True, slots=True)
class Device:
    """What a device has done in a period.

    ``last`` is the timestamp of its newest uplink, in the period or before; None where all have
    expired. ``missing`` counts the seqnos between those that arrived; ``rssi`` (dBm) and ``lsnr``
    (dB) are the best at any gateway, None where none was said.
    """

    device: str
    last: str | None
    uplinks: int
    missing: int
    rssi: int | Decimal | None
    lsnr: int | Decimal | None


def summarize(device: str, period: Iterable[Row]) -> Device:
    """Sum up the uplinks of a device, oldest first."""
    last: str | None = None
    uplinks = 0
    seqnos, rssi, lsnr = Seqnos(), _Best("rssi"), _Best("lsnr")
    for row in period:
        last, uplinks = str(row[SORT_KEY]), uplinks + 1
        seqno = row.get("seqno")
        if isinstance(seqno, int):
            seqnos.look(seqno)
        rssi.look(row)
        lsnr.look(row)
    return Device(device, last, uplinks, seqnos.missing, rssi.value, lsnr.value)


@dataclass(slots=True)
class Gap:
    """So many seqnos are missing before the uplink with this timestamp."""

    timestamp: str
    missing: int


def gaps(period: Iterable[Row]) -> list[Gap]:
    """Return where seqnos are missing among the uplinks of a device, oldest first.

    One that comes late is taken from the last gap.
    """
    found: list[Gap] = []
    seqnos = Seqnos()
    for row in period:
        before = seqnos.missing
        if isinstance(seqno := row.get("seqno"), int):
            seqnos.look(seqno)
        if seqnos.missing > before:
            found.append(Gap(str(row[SORT_KEY]), seqnos.missing - before))
        elif seqnos.missing < before:
            found[-1].missing -= 1
            found = [each for each in found if each.missing]
    return found


class Seqnos:
    """Counts the seqnos that are missing, over repetitions, late arrivals and new beginnings.

    A seqno below the newest that did not come lately is a new beginning: the device joined again,
    or its counter wrapped around. Then nothing between is missing.
    """

    def __init__(self) -> None:
        self.missing = 0
        self._newest: int | None = None
        self._lately: dict[int, bool] = {}  # whether it came; False while it is missing

    def look(self, seqno: int) -> None:
        """Take the seqno of the next uplink."""
        came = self._lately.get(seqno)
        self._note(seqno, came=True)
        if came is False:
            self.missing -= 1
        elif came is None:
            self._advance(seqno)

    def _advance(self, seqno: int) -> None:
        first = seqno if self._newest is None else self._newest + 1
        self._newest = seqno
        recent = range(max(first, seqno - _LATELY), seqno)
        self.missing += max(0, seqno - first) - len(recent)
        for skipped in recent:
            if skipped not in self._lately:
                self.missing += 1
                self._note(skipped, came=False)

    def _note(self, seqno: int, *, came: bool) -> None:
        self._lately.pop(seqno, None)
        self._lately[seqno] = came
        if len(self._lately) > _LATELY:
            del self._lately[next(iter(self._lately))]


class _Best:
    """The highest of a value at all gateways."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.value: int | Decimal | None = None

    def look(self, row: Row) -> None:
        gwrx = row.get("gwrx")
        for reception in gwrx if isinstance(gwrx, list) else ():
            value = number(reception.get(self._name)) if isinstance(reception, dict) else None
            if value is not None and (self.value is None or value > self.value):
                self.value = value
