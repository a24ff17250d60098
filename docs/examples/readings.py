"""Prints the mean temperature of each day of a device: python docs/examples/readings.py APP/DEVICE.

Needs AWS credentials that may read the LoraStore stack and query its table, as boto3 finds them.
"""

import sys
import time
from collections import defaultdict
from decimal import Decimal
from statistics import mean

from console.store.history import table_name, uplinks
from contract.deployment import UNNAMED

WEEK = 7 * 86_400_000_000  # microseconds


def main() -> None:
    """Read a week, newest first, page after page, and keep one number of each uplink."""
    if len(sys.argv) != 2:  # noqa: PLR2004  # the script and the device
        sys.exit(__doc__)
    days: dict[str, list[Decimal]] = defaultdict(list)
    since = time.time_ns() // 1000 - WEEK
    for row in uplinks(table_name(UNNAMED), device=sys.argv[1], since=since):
        reading = row.get("decoded")
        if isinstance(reading, dict) and isinstance(reading.get("temperature"), int | Decimal):
            days[str(row["timestamp"])[:10]].append(Decimal(str(reading["temperature"])))
    for day, temperatures in sorted(days.items()):
        print(day, round(mean(temperatures), 2))


if __name__ == "__main__":
    main()
