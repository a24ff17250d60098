"""The list of devices is spread over its partitions, each time in the same way."""

from collections import Counter

from contract.device_list import KINDS, kind_of


def test_devices_are_spread_evenly() -> None:
    """No partition has much more than its share, of EUIs that differ in their last digits alone."""
    counts = Counter(kind_of(f"70b3d5e75e000001/{number:016x}") for number in range(16_000))
    assert set(counts) == set(KINDS)
    assert max(counts.values()) < 1.2 * 1000


def test_a_device_stays_where_it_is() -> None:
    """Python's own hash differs from process to process; this one is stored."""
    assert kind_of("37817737f13/9372163") == "device#00"
