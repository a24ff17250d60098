"""The list of devices: a partition for each of a few hashes, so that none has all the load.

DynamoDB takes 1,000 writes a second for a partition ("Best practices for partition keys").
"""

from zlib import crc32

KIND_KEY = "kind"
"""Partition key of the table of devices; its sort key is the device."""
LAST_SEEN = "last_seen"
"""Timestamp of an uplink of the device, at most ``SEEN_EVERY`` before that of its newest."""
SEEN_EVERY = 10_800_000_000
"""Microseconds. A device that reports every 15 minutes is written with one uplink of twelve."""
SILENT_SINCE = "silent_since"
"""Timestamp of the newest uplink of a device of whose silence people were told; gone when they were
told that it is back. Of the network's item: since when all of it is silent."""
USUAL_INTERVAL = "usual_interval"
"""Microseconds: about how often the device reports, as it was learnt where silence is watched."""
NETWORK_KIND = "network"
"""Partition key of what is known of the network as a whole, under itself as the device."""
HEARD_AGAIN = "heard_again"
"""Timestamp of when the network was found to be back, from which on silence counts anew."""
_PARTITIONS = 16
KINDS = tuple(f"device#{number:02}" for number in range(_PARTITIONS))
"""All partition keys."""


def kind_of(device: str) -> str:
    """Return the partition key of a device, ``APPEUI/MOTEEUI``."""
    return KINDS[crc32(device.encode()) % _PARTITIONS]
