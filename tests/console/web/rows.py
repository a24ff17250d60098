"""Uplinks as the rule stores them and the decoder completes them."""

import time
from collections.abc import Sequence
from decimal import Decimal

from contract.times import format_time
from lab.aws.filling import Item

APPLICATION = "70b3d57ed0000001"
GATEWAYS = ("b827ebfffe000001", "b827ebfffe000002")
MINUTE = 60_000_000  # microseconds


def now() -> int:
    """Return the time, in microseconds since 1970."""
    return time.time_ns() // 1000


def uplink(eui: str, sent: int, seqno: int = 1, more: Item | None = None) -> Item:
    """Return an uplink; ``more`` adds attributes, or takes the place of some."""
    item: Item = {
        "device": f"{APPLICATION}/{eui}",
        "timestamp": format_time(sent),
        "port1_bytes": [6, 195, seqno % 100],
        "seqno": seqno,
        "motetx": {"freq": Decimal("868.1"), "datr": "SF7BW125"},
        "gwrx": [{"eui": GATEWAYS[0], "rssi": -57, "lsnr": Decimal("9.2")}],
        "decoded": {"temperature": Decimal("17.31"), "humidity": seqno % 100},
        "decoded_by": "climate 1",
    }
    return item | (more or {})


def uplinks(
    eui: str,
    last: int,
    every: int = 15 * MINUTE,
    seqnos: Sequence[int] = range(25),
    more: Item | None = None,
) -> list[Item]:
    """Return uplinks of a device, as often as it has seqnos, the newest of them at ``last``."""
    return [uplink(eui, last - (seqnos[-1] - seqno) * every, seqno, more) for seqno in seqnos]
