"""Hands downlinks to network servers, and tells each step as an event.

That a downlink is about to be written to a network server is on disk before it is written, so that
it is written once at most.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

import msgspec

from bridge.clock import Clock
from bridge.counts import Counts
from bridge.downlinks.open_downlinks import NOT_IN_TIME, OpenDownlinks, restored
from bridge.downlinks.store import Store
from bridge.log_limit import LimitedLogger
from bridge.messages.downlink import Answer, Downlink
from bridge.sources.source import NotTakenError, Sender
from bridge.spool.batch import Receipt
from contract.downlinks import State
from contract.eui import is_device
from contract.names import CHECK_APPLICATION

_log = logging.getLogger(__name__)

_PROGRESS = (State.ACCEPTED, State.SUBMITTED, State.SENT)


class Dispatcher:
    """The downlinks of a bridge; its length is how many are open."""

    def __init__(
        self, open_downlinks: OpenDownlinks, store: Store, counts: Counts, clock: Clock
    ) -> None:
        self._open = open_downlinks
        self._store = store
        self._senders: Sequence[Sender] = ()
        self._counts = counts
        self._clock = clock
        self._limited = LimitedLogger(_log, now=clock.monotonic)
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def connect(self, senders: Sequence[Sender]) -> None:
        """Say once who takes downlinks: they are asked in turn whose an application is.

        What an earlier run left open goes on, or ends.
        """
        self._senders = senders
        for each in self._store.ended_lately():
            self._open.put(each)
        downlinks, damaged = self._store.earlier()
        still, ended = restored(downlinks, self._clock.wall(), damaged=damaged)
        for each in still:
            self._open.put(each)
        for each in ended:
            self._open.put(each)
            self.tell(each)

    def claim(self, source: str, application: str) -> None:
        """Note that a source has had an uplink of an application, whose downlinks it takes."""
        if application != CHECK_APPLICATION:  # of which each bridge has one device
            self._store.claim(source, application)

    def answered(self, answer: Answer, receipt: Receipt | None = None) -> None:
        """Note what a network server tells of a downlink; call ``receipt`` when it is on disk."""
        now = self._clock.wall()
        if (downlink := self._open.meant(answer)) and _is_news(answer, downlink):
            self.change(downlink.become(answer.state, now, answer.reason), receipt)
        elif (late := self._open.meant_late(answer)) and _is_late_news(answer, late):
            told = late.become(answer.state, now, answer.reason)
            self._open.put_late(told)
            self.tell(told, receipt, late=True)
        elif receipt is not None:
            known = downlink or late
            if known is None:
                receipt()
            else:
                self._store.when_on_disk(known.device, known.id, receipt)

    def sender_of(self, device: str) -> Sender | None:
        """Return who takes downlinks of a device, None where nobody does."""
        application = device.partition("/")[0]
        if not is_device(device):
            self._counts.downlinks["foreign"] += 1
            return None
        return next(
            (
                each
                for each in self._senders
                if each.has(device) or self._store.claimed(each.name, application)
            ),
            None,
        )

    async def run(self) -> None:
        """End what is over and hand over what can be, each second, for ever."""
        while True:
            try:
                self._look()
            except Exception as error:  # noqa: BLE001  # whatever it is, uplinks go on
                self._limited.log(logging.ERROR, "failed", "downlinks: %s: trying again", error)
            await asyncio.sleep(1)

    def wait_again(self, downlink: Downlink) -> None:
        """Let a downlink that is not being handed over after all wait for its turn."""
        waiting = msgspec.structs.replace(downlink, handing=False, reference=None)
        self._open.put(waiting)
        self._store.mark(waiting)

    def advance(self, application: str, moteeui: str) -> None:
        """Hand over what a device may be sent now."""
        sender = self.sender_of(f"{application}/{moteeui}")
        while sender is not None and sender.ready(application):
            doubtful = not sender.names_acknowledged and self._open.in_doubt(
                moteeui, self._clock.wall()
            )
            downlink = self._open.next(moteeui, doubtful=doubtful)
            reference = sender.reference(self._open.references) if downlink else None
            if downlink is None or reference is None:
                return
            handing = msgspec.structs.replace(
                downlink, handing=True, reference=reference, attempt=downlink.attempt + 1
            )
            self._open.put(handing)
            self._store.mark(handing, partial(self._begin, sender, handing))

    def change(self, downlink: Downlink, receipt: Receipt | None = None) -> None:
        """Note a downlink in another state, tell it, and go on with the next one of its device."""
        self._open.put(downlink)
        self.tell(downlink, receipt)
        self.advance(downlink.application, downlink.moteeui)

    def tell(
        self, downlink: Downlink, receipt: Receipt | None = None, *, late: bool = False
    ) -> None:
        """Keep a downlink as it is now, and tell it; ``receipt`` and ``late`` as for the store."""
        self._counts.downlinks["late" if late else downlink.state] += 1
        sender = self.sender_of(downlink.device)
        self._store.write(downlink, sender.name if sender else "", receipt=receipt, late=late)

    def _look(self) -> None:
        for downlink in self._open.due(self._clock.wall()):
            self.change(downlink)
        for application in self._open.applications():
            for moteeui in self._open.motes(application):
                self.advance(application, moteeui)
        self._store.tidy(self._open, self._clock.wall())

    def _begin(self, sender: Sender, downlink: Downlink) -> None:
        """Hand a downlink over, now that this is on disk, if it has not ended meanwhile."""
        if not self._open.is_current(downlink):
            return
        task = asyncio.get_running_loop().create_task(self._hand_over(sender, downlink))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_over(self, sender: Sender, downlink: Downlink) -> None:
        if downlink.expires <= (now := self._clock.wall()):  # the disk may have taken long
            never_written = msgspec.structs.replace(downlink, reference=None)
            self.change(never_written.become(State.EXPIRED, now, NOT_IN_TIME))
            return
        outcome = await self._outcome(sender, downlink)
        if not self._open.is_current(downlink):
            return  # an answer was faster
        if outcome is None:
            self.wait_again(downlink)
        else:
            self.change(outcome)

    async def _outcome(self, sender: Sender, downlink: Downlink) -> Downlink | None:
        """Give a downlink to its network server; return it as it is then, None if it must wait."""
        try:
            handed = await sender.hand_over(downlink)
        except NotTakenError as error:
            return downlink.become(State.FAILED, self._clock.wall(), str(error))
        except Exception as error:  # noqa: BLE001  # whatever it is: it may have been written
            self._limited.log(
                logging.ERROR, "handing", "downlink to %s: %s", downlink.device, error
            )
            return downlink.become(State.UNKNOWN, self._clock.wall(), str(error))
        return downlink.become(State.SUBMITTED, self._clock.wall()) if handed else None


def _is_news(answer: Answer, downlink: Downlink) -> bool:
    """Say whether an answer takes a downlink further: network servers repeat themselves."""
    return answer.state not in _PROGRESS or (
        _PROGRESS.index(answer.state) > _PROGRESS.index(downlink.state)
    )


def _is_late_news(answer: Answer, ended: Downlink) -> bool:
    """Say the same of an answer to what has ended: what was acknowledged was sent before."""
    known = (answer.state, State.ACKNOWLEDGED, State.NOT_ACKNOWLEDGED)
    return ended.state not in (known if answer.state is State.SENT else known[:1])
