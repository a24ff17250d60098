"""The messages that wait for their PUBACK, in the order of receipt. Does no I/O."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import msgspec

from bridge.messages.message import Message
from contract.deployment import UNNAMED
from contract.names import device_of


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A message that waits for its PUBACK.

    ``id`` is its number in the order of receipt; ``shard`` is the same for all of a device. It is
    ``refused`` if the spool has it among those that AWS IoT refused.
    """

    id: int
    shard: int
    topic: str
    payload: bytes
    refused: bool = False

    @classmethod
    def of(cls, number: int, message: Message) -> Self:
        """Return the message as number ``number`` in the order of receipt."""
        return cls(number, _shard(message.topic), message.topic, message.payload)

    @property
    def device(self) -> str:
        """The device that it is about, ``APPEUI/MOTEEUI``."""
        return device_of(self.topic)

    @property
    def size(self) -> int:
        """What it counts for in limits, in bytes."""
        return len(self.topic) + len(self.payload)


@dataclass(frozen=True, slots=True)
class Share:
    """The part of the devices that connection ``number`` of ``total`` publishes."""

    number: int
    total: int

    def of(self, messages: Sequence[Waiting]) -> Sequence[Waiting]:
        """Return the messages that belong to it."""
        if self.total == 1:
            return messages
        return [each for each in messages if each.shard % self.total == self.number]


@dataclass(frozen=True, slots=True)
class Stretch:
    """All messages of a share up to id ``up_to``, from where the reading began."""

    messages: list[Waiting]
    up_to: int


@lru_cache(10_000)  # the same devices come again and again
def _shard(topic: str) -> int:
    """Return a number that is the same for every message of a device, also after restarts.

    It is made of a topic of the device's uplinks, in whichever deployment: spools hold numbers that
    were made so.
    """
    return zlib.crc32(UNNAMED.uplink_topic(device_of(topic)).encode())
