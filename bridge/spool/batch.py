"""What one commit changes in the spool. Does no I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bridge.messages.downlink import Downlink
from bridge.messages.timestamper import Placement
from bridge.spool.refused import Refusal
from bridge.spool.waiting import Waiting

Receipt = Callable[[], None]
"""Tells the source of a frame that it is on disk."""


@dataclass(slots=True)
class Size:
    """How many messages there are, and their bytes."""

    messages: int = 0
    bytes: int = 0

    def add(self, message: Waiting) -> None:
        """Count one more."""
        self.messages += 1
        self.bytes += message.size


@dataclass(slots=True)
class Batch:
    """The changes that gather between two commits.

    The messages that ``arrived`` are kept, with their ``placements``. Those with ``delivered`` ids
    are removed, those that were ``refused`` are set aside. Rejected frames whose numbers are in
    ``read_again`` are removed: some of what arrived was made of them. ``downlinks``, by number, are
    written as they are now, and ``claims``, of sources and their applications, remembered.
    ``receipts`` are to be called once all of it is on disk.
    """

    arrived: list[Waiting] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    read_again: list[int] = field(default_factory=list)
    downlinks: dict[int, Downlink] = field(default_factory=dict)
    claims: list[tuple[str, str]] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    arrived_bytes: int = 0
    delivered_bytes: int = 0
    newly_refused: Size = field(default_factory=Size)
    no_longer_refused: Size = field(default_factory=Size)

    def keep(self, message: Waiting, placement: Placement) -> None:
        """Add a message that arrived."""
        self.arrived.append(message)
        self.placements.append(placement)
        self.arrived_bytes += message.size

    def forget(self, delivered: Sequence[Waiting]) -> None:
        """Remove messages that were delivered."""
        self.delivered += [each.id for each in delivered]
        self.delivered_bytes += sum(each.size for each in delivered)
        for each in [each for each in delivered if each.refused]:
            self.no_longer_refused.add(each)

    def take_delivered(self, other: "Batch") -> None:
        """Take over what was delivered."""
        self.delivered += other.delivered
        self.delivered_bytes += other.delivered_bytes
        self.no_longer_refused.messages += other.no_longer_refused.messages
        self.no_longer_refused.bytes += other.no_longer_refused.bytes
        other.delivered, other.delivered_bytes = [], 0
        other.no_longer_refused = Size()

    def refuse(self, message: Waiting, reason: str, *, final: bool) -> None:
        """Set a message aside."""
        self.refused.append(Refusal(message.id, reason, final))
        if not message.refused:
            self.newly_refused.add(message)

    @property
    def pressing(self) -> bool:
        """Whether it has more than what was delivered, which may wait."""
        return bool(self.arrived or self.downlinks or self.claims)

    @property
    def undelivered(self) -> int:
        """How many of the messages that arrived have not been delivered meanwhile."""
        delivered = set(self.delivered)
        return sum(each.id not in delivered for each in self.arrived)
