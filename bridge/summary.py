"""What a device has done in a period, and how well it was heard. Does no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bridge.columns import number
from bridge.names import SORT_KEY
from bridge.rows import Row


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
    """Sum up the uplinks of a device, oldest first.

    A seqno that is not above the one before is that of a repetition or of a device that began
    anew: it tells nothing of missing ones.
    """
    last: str | None = None
    uplinks = missing = 0
    before: int | None = None
    rssi, lsnr = _Best("rssi"), _Best("lsnr")
    for row in period:
        last, uplinks = str(row[SORT_KEY]), uplinks + 1
        seqno = row.get("seqno")
        if isinstance(seqno, int):
            missing += 0 if before is None else max(0, seqno - before - 1)
            before = seqno
        rssi.look(row)
        lsnr.look(row)
    return Device(device, last, uplinks, missing, rssi.value, lsnr.value)


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
