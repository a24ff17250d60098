"""Prints how the downlinks of a week ended: python docs/examples/device_events.py APP/DEVICE.

Needs AWS credentials that may read the LoraStore stack and query its table, as boto3 finds them.
"""

import sys
import time

from console.store.events import events
from console.store.history import table_name
from contract.deployment import UNNAMED
from contract.names import EventType

WEEK = 7 * 86_400_000_000  # microseconds


def main() -> None:
    """Read the events of a week, newest first: the first of each downlink is its last state."""
    if len(sys.argv) != 2:  # noqa: PLR2004  # the script and the device
        sys.exit(__doc__)
    since = time.time_ns() // 1000 - WEEK
    seen = set()
    for event in events(table_name(UNNAMED), sys.argv[1], EventType.DOWNLINK, since):
        if event["id"] not in seen and not event.get("late"):
            seen.add(event["id"])
            print(event["timestamp"], event["id"], event["state"])


if __name__ == "__main__":
    main()
