"""The pictures of the documents have something to show."""

import random
from collections import defaultdict

from contract.times import parse_time
from lab.aws.filling import Item
from lab.demo.past import past

_NOW, _HOUR = 1_790_000_000_000_000, 3_600_000_000


def _devices(seed: int) -> dict[str, list[Item]]:
    found = defaultdict(list)
    for item in past(random.Random(seed), _NOW):
        found[str(item["name"])].append(item)
    return found


def test_what_is_shown() -> None:
    """Two devices have been silent for hours, one misses frames, and all have names."""
    devices = _devices(1)
    times = {name: parse_time(str(items[-1]["timestamp"])) or 0 for name, items in devices.items()}
    silent = {name for name, time in times.items() if time < _NOW - _HOUR}
    assert silent == {"Weather mast", "Workshop"}
    assert max(times.values()) <= _NOW
    gaps = {
        name
        for name, items in devices.items()
        if [item["seqno"] for item in items] != [*range(1000, 1000 + len(items))]
    }
    assert gaps == {"Greenhouse 1"}


def test_two_runs_differ_little() -> None:
    """The same seed and time make the same uplinks, for pictures that differ by their dates."""
    assert _devices(1) == _devices(1)
    assert _devices(1) != _devices(2)
