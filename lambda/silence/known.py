"""What is known before anything is looked at: the list of devices, the network, the memory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract.device_list import HEARD_AGAIN, LAST_SEEN, SILENT_SINCE, USUAL_INTERVAL
from contract.names import PARTITION_KEY
from contract.times import parse_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

_REMEMBERED = 300_000  # devices, at 250 bytes each


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the list. Its newest uplink came at ``last_seen``, or up to 3 hours later.

    ``silent_since`` is there when people were told so; ``interval`` when it was learnt.
    """

    name: str
    last_seen: int
    silent_since: int | None = None
    interval: int | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """Since when all of the network is silent, if it is, and when it was found to be back."""

    silent_since: int | None = None
    heard_again: int = 0


def device_of(item: "Item") -> Device:
    """Return what an item of the list says."""
    interval = item.get(USUAL_INTERVAL, {}).get("N")
    return Device(
        item[PARTITION_KEY]["S"],
        _time(item, LAST_SEEN) or 0,
        _time(item, SILENT_SINCE),
        None if interval is None else int(interval),
    )


def network_of(item: "Item") -> Network:
    """Return what the network's item says; nothing if it is empty."""
    return Network(_time(item, SILENT_SINCE), _time(item, HEARD_AGAIN) or 0)


class Memory:
    """Remembers until when devices need no look. To lose it costs queries, and nothing else."""

    def __init__(self, size: int = _REMEMBERED) -> None:
        self._size = size
        self._until: dict[str, int] = {}

    def forget(self, now: int) -> None:
        """Make room: what is over counts for nothing."""
        self._until = {name: until for name, until in self._until.items() if until >= now}

    def is_settled(self, name: str, now: int) -> bool:
        """Say whether a device needs no look now."""
        return self._until.get(name, -1) >= now

    def settle(self, name: str, until: int) -> None:
        """Remember that a device needs no look until then, if there is room."""
        if name in self._until or len(self._until) < self._size:
            self._until[name] = until


def _time(item: "Item", name: str) -> int | None:
    return parse_time(item.get(name, {}).get("S", ""))
