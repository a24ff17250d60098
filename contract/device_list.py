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
_PARTITIONS = 16
KINDS = tuple(f"device#{number:02}" for number in range(_PARTITIONS))
"""All partition keys."""


def kind_of(device: str) -> str:
    """Return the partition key of a device, ``APPEUI/MOTEEUI``."""
    return KINDS[crc32(device.encode()) % _PARTITIONS]
