"""Plays ChirpStack's queues of downlinks, for devices of class A. Does no I/O.

Of a command that it refuses, ChirpStack says nothing.
"""

import base64
import random
import re
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from console.simulate.chirpstack_devices import APPLICATION_ID, Device
from console.simulate.chirpstack_events import Event, Maker
from contract.times import parse_time

COMMANDS = "$share/chirpstack/application/+/device/+/command/+"
"""What ChirpStack subscribes to."""
_DOWN = re.compile(rf"application/{APPLICATION_ID}/device/(\w+)/command/down")
_MAX_PAYLOAD = 222  # bytes


class _Command(msgspec.Struct, frozen=True, rename="camel"):
    """DownlinkCommand of ChirpStack's integration.proto, but for ``object``."""

    dev_eui: str
    id: str = ""
    confirmed: bool = False
    f_port: int = 0
    data: str = ""
    expires_at: str | None = None


_DECODER = msgspec.json.Decoder(_Command)


@dataclass(frozen=True)
class Item:
    """A downlink; it expires in microseconds since 1970."""

    dev_eui: str
    id: str
    port: int
    data: bytes
    confirmed: bool
    expires: int | None


@dataclass
class _Queue:
    """Those of a device; the pending one is sent, and its acknowledgement is awaited."""

    waiting: deque[Item] = field(default_factory=deque)
    pending: Item | None = None
    f_cnt: int = 0

    def has(self, name: str) -> bool:
        """Say whether an item is in it."""
        return any(each is not None and each.id == name for each in (*self.waiting, self.pending))


class Queues:
    """The queues of so many devices. The share ``lose`` of downlinks, 0 to 1, is never answered.

    ``items`` has all that were taken.
    """

    def __init__(self, devices: int, maker: Maker, rng: random.Random, lose: float) -> None:
        self._maker = maker
        self._rng = rng
        self._lose = lose
        self.items: list[Item] = []
        self.lost = 0
        self._queues = {Device(number).dev_eui: _Queue() for number in range(devices)}

    @property
    def taken(self) -> int:
        """How many were taken."""
        return len(self.items)

    def take(self, topic: str, payload: bytes) -> None:
        """Put a command's downlink into its device's queue, if it is one."""
        found = _DOWN.fullmatch(topic)
        queue = self._queues.get(found[1]) if found else None
        item = self._item(payload)
        if not (found and queue and item) or item.dev_eui != found[1] or queue.has(item.id):
            return
        self.items.append(item)
        if self._rng.random() < self._lose:
            self.lost += 1
        else:
            queue.waiting.append(item)

    def answers(self, up: Event) -> list[Event]:
        """Return what an uplink leads to: an acknowledgement, and the next downlink's sending."""
        queue = self._queues[up.device.dev_eui]
        told = []
        if queue.pending is not None:
            told.append(self._maker.ack(up, queue.pending.id, queue.f_cnt))
            queue.pending = None
        while queue.waiting:
            item = queue.waiting.popleft()
            discarded = self._discarded(up.device, item)
            if discarded is None:
                queue.f_cnt += 1
                queue.pending = item if item.confirmed else None
                told.append(self._maker.txack(up.device, item.id, queue.f_cnt))
                break
            told.append(discarded)
        return told

    def _item(self, payload: bytes) -> Item | None:
        try:
            command = _DECODER.decode(payload)
            name = str(UUID(command.id)) if command.id else self._maker.new_id()
            data = base64.b64decode(command.data, validate=True)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
        if command.f_port == 0:
            return None
        expires = parse_time(command.expires_at) if command.expires_at else None
        return Item(command.dev_eui, name, command.f_port, data, command.confirmed, expires)

    def _discarded(self, device: Device, item: Item) -> Event | None:
        """Return what is said of an item that is not sent, None of one that is."""
        text = "Device queue-item discarded because it"
        if item.expires is not None and item.expires <= self._maker.now() // 1000:
            return self._maker.log(
                *(device, "ERROR", "EXPIRED", f"{text} has expired"), queue_item_id=item.id
            )
        if len(item.data) > _MAX_PAYLOAD:
            return self._maker.log(
                *(device, "ERROR", "DOWNLINK_PAYLOAD_SIZE"),
                f"{text} exceeds the max. payload size",
                queue_item_id=item.id,
                max_payload_size=str(_MAX_PAYLOAD),
                item_size=str(len(item.data)),
            )
        return None
