"""A dispatcher over a spool on disk, with a network server that does as a test likes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NoReturn

from bridge.clock import Clock
from bridge.config import Downlinks
from bridge.counts import Counts
from bridge.downlinks.dispatcher import Dispatcher
from bridge.downlinks.intake import Intake
from bridge.downlinks.open_downlinks import OpenDownlinks
from bridge.downlinks.reconciler import Reconciler
from bridge.downlinks.store import Store
from bridge.messages.downlink import Downlink
from bridge.messages.timestamper import Timestamper
from bridge.spool.quarantine import Quarantine
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Share, Waiting
from bridge.timings import Timings
from contract.deployment import UNNAMED
from contract.downlinks import Request, build_request

SECOND = 1_000_000  # microseconds
TOPIC = "lora/a1/d1/down"


@dataclass
class Server:
    """A network server that does as the test likes, and notes what it is given."""

    name: str = "server"
    names_acknowledged: bool = False
    open: bool = True
    hand: Callable[[Downlink], bool] = lambda _downlink: True
    queued: Callable[[Downlink], bool | None] = lambda _downlink: None
    given: list[Downlink] = field(default_factory=list)
    _last: int = 0

    def has(self, device: str) -> bool:
        """Have one application."""
        return device.startswith("a1/")

    def ready(self, application: str) -> bool:
        """Say whether it is connected."""
        return self.open and application == "a1"

    def reference(self, taken: Container[str]) -> str | None:
        """Count."""
        numbers = map(str, count(self._last + 1))
        reference = next(each for each in numbers if each not in taken)
        self._last = int(reference)
        return reference

    async def hand_over(self, downlink: Downlink) -> bool:
        """Note it."""
        self.given.append(downlink)
        return self.hand(downlink)

    async def is_queued(self, downlink: Downlink) -> bool | None:
        """Say what the test wants."""
        return self.queued(downlink)


class Setting:
    """A dispatcher over a spool on disk, whose clock stands still."""

    def __init__(
        self, spool: Spool, server: Server, settings: Downlinks, settle: float = 0.01
    ) -> None:
        self.now = 1_700_000_000 * SECOND
        clock = Clock(wall=lambda: self.now, monotonic=lambda: self.now / SECOND)
        self.counts = Counts()
        self.missed: list[str] = []
        self.spool = spool
        self.spooler = Spooler(spool, max_bytes=10**9)
        quarantine = Quarantine(spool, max_bytes=10**6, write_after=0.01)
        timestamper = Timestamper(spool.placements())
        store = Store(*(spool, self.spooler, quarantine, timestamper, UNNAMED), self.missed.append)
        open_downlinks = OpenDownlinks(in_order=settings.in_order, answers_within=60 * SECOND)
        self.dispatcher = Dispatcher(open_downlinks, store, self.counts, clock)
        of_intake = (open_downlinks, store, self.counts, clock, settings, settle)
        self.intake = Intake(self.dispatcher, *of_intake)
        self.reconciler = Reconciler(
            *(open_downlinks, self.dispatcher.sender_of, self.dispatcher.answered, clock, Timings())
        )
        self.dispatcher.connect([server])
        self.spooler.connect(self, [])
        self.acknowledged = 0
        self.offered: list[tuple[str, bool]] = []

    def arrived(self, messages: list[Waiting]) -> None:
        """Publish nothing: all stays in the spool. Note what could be, and whether it is there."""
        there = {each.id for each in self.spool.read(0, 10**9, Share(0, 1)).messages}
        self.offered += [(each.topic, each.id in there) for each in messages]

    def ask(self, payload: bytes, topic: str = TOPIC) -> None:
        """Ask for a downlink."""
        self.intake.take(topic, payload, self._acknowledge)

    def _acknowledge(self) -> None:
        self.acknowledged += 1

    def events(self) -> list[tuple[str, str]]:
        """Return id and state of each event on disk, in order."""
        messages = self.spool.read(0, 10**9, Share(0, 1)).messages
        found = [json.loads(each.payload) for each in messages if "/event/" in each.topic]
        return [(each["id"], each["state"]) for each in found]

    async def until(self, *states: str) -> None:
        """Wait until the events of all downlinks are these."""
        async with asyncio.timeout(10):
            while [state for _, state in self.events()] != list(states):
                await asyncio.sleep(0.01)

    async def until_failing(self) -> None:
        """Wait until the spool cannot be written."""
        async with asyncio.timeout(10):
            while self.spooler.problem is None:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def setting(
    path: Path, server: Server, settings: Downlinks | None = None, settle: float = 0.01
) -> AsyncIterator[Setting]:
    """Have a dispatcher at work."""
    with Spool(path) as spool:
        made = Setting(spool, server, settings or Downlinks(), settle)
        running = asyncio.create_task(made.dispatcher.run())
        yield made
        running.cancel()
        made.spooler.close()


def request(name: str = "a", expires: int | None = None) -> bytes:
    """Return a request."""
    return build_request(Request(name, 10, b"\x01", expires=expires))


async def killed_in_hand_over(path: Path, payload: bytes) -> None:
    """Leave a spool as a kill does between a downlink's commit and the network server's answer."""
    server = Server(hand=_hang)
    async with setting(path, server) as made:
        made.ask(payload)
        async with asyncio.timeout(10):
            while not server.given:
                await asyncio.sleep(0.01)


def _hang(_downlink: Downlink) -> NoReturn:
    raise asyncio.CancelledError  # as when the process ends there
