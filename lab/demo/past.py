"""Three days of the demo's sensors, as the rule and the decoder would have stored them."""

import random
from collections.abc import Iterator
from decimal import Decimal

from console.simulate.frames import APPLICATION, device_eui, reading
from contract.times import format_time
from lab.aws.filling import Item

WITH_GAPS = 4
"""A device of which some frames are missing."""
_HEARD = 19  # devices; the two that follow have been silent for some hours
_DEVICES = _HEARD + 2
_NAMES = (
    "Barn",
    "Boiler room",
    "Cellar",
    "Cold store",
    "Greenhouse 1",
    "Greenhouse 2",
    "Greenhouse 3",
    "Kiln",
    "Library",
    "Loft",
    "Nursery",
    "Office",
    "Orchard north",
    "Orchard south",
    "Pump house",
    "Silo 1",
    "Silo 2",
    "Stable",
    "Vineyard",
    "Weather mast",
    "Workshop",
)
_GATEWAYS = ("b827ebfffe000001", "b827ebfffe000002")
_EVERY, _HOUR = 1_800_000_000, 3_600_000_000  # microseconds
_UPLINKS = 144
_SILENT = 7  # hours, and twice that


def past(rng: random.Random, now: int) -> Iterator[Item]:
    """Yield the uplinks of all devices, up to ``now``, in microseconds since 1970."""
    for number in range(_DEVICES):
        silent = max(0, number - _HEARD + 1) * _SILENT * _HOUR
        last = now - silent - rng.randrange(_EVERY // 2)
        for uplink in range(_UPLINKS):
            missing = number == WITH_GAPS and uplink % 53 in {40, 41, 49}
            if not missing:
                sent = last - (_UPLINKS - 1 - uplink) * _EVERY + rng.randrange(4_000_000)
                yield _uplink(number, 1000 + uplink, sent, rng)


def _uplink(number: int, seqno: int, sent: int, rng: random.Random) -> Item:
    data = reading(number, seqno, rng)
    hundredths = int.from_bytes(data[:2], "big", signed=True)
    return {
        "device": f"{APPLICATION}/{device_eui(number)}",
        "timestamp": format_time(sent),
        "name": _NAMES[number],
        "port1_bytes": [*data],
        "seqno": seqno,
        "motetx": {"freq": Decimal("868.1"), "datr": "SF7BW125"},
        "gwrx": [
            {
                "eui": gateway,
                "rssi": -58 - 2 * number - 9 * which - rng.randrange(6),
                "lsnr": Decimal(rng.randrange(60, 95) - 4 * number) / 10,
            }
            for which, gateway in enumerate(_GATEWAYS[: rng.randint(1, 2)])
        ],
        "decoded": {"temperature": Decimal(hundredths) / 100, "humidity": data[2]},
        "decoded_by": "climate.js",
    }
