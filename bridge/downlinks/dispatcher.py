"""Takes requests for downlinks, hands them to network servers, and tells each step as an event.

A downlink is on disk before its request is acknowledged to AWS IoT. That it is about to be written
to a network server is on disk before it is written, so that it is written once at most.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from bridge.clock import Clock
from bridge.config import Downlinks
from bridge.counts import Counts
from bridge.downlinks.open_downlinks import OpenDownlinks, restored
from bridge.downlinks.store import Store
from bridge.log_limit import LimitedLogger
from bridge.messages.downlink import Answer, Downlink
from bridge.messages.rejection import Reason
from bridge.sources.source import NotTakenError, Sender
from bridge.spool.batch import Receipt
from bridge.spool.rejected import Rejected
from contract.downlinks import BadRequestError, Request, State, parse_request
from contract.eui import is_device, one_case
from contract.names import CHECK_APPLICATION, device_of

_log = logging.getLogger(__name__)

_MAX_OPEN = 100_000  # downlinks, of a kilobyte of memory each
_SECOND = 1_000_000  # microseconds
_PROGRESS = (State.ACCEPTED, State.SUBMITTED, State.SENT)


class Dispatcher:
    """The downlinks of a bridge; its length is how many are open.

    Where bridges share requests, nothing is done with one for ``settle`` seconds after its PUBACK:
    AWS IoT must have that, or another bridge gets the request, too.
    """

    def __init__(
        self,
        open_downlinks: OpenDownlinks,
        store: Store,
        counts: Counts,
        clock: Clock,
        settings: Downlinks,
        settle: float,
    ) -> None:
        self._open = open_downlinks
        self._store = store
        self._senders: Sequence[Sender] = ()
        self._counts = counts
        self._clock = clock
        self._expires_after = settings.expires_after * _SECOND
        self._settle = settle if settings.share else 0.0
        self._limited = LimitedLogger(_log, now=clock.monotonic)
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def connect(self, senders: Sequence[Sender]) -> None:
        """Say once who takes downlinks: they are asked in turn whose an application is.

        What an earlier run left open goes on, or ends.
        """
        self._senders = senders
        downlinks, damaged = self._store.earlier()
        still, ended = restored(downlinks, self._clock.wall(), damaged=damaged)
        for each in still:
            self._open.put(each)
        for each in ended:
            self._tell(each)

    def claim(self, source: str, application: str) -> None:
        """Note that a source has had an uplink of an application, whose downlinks it takes."""
        if application != CHECK_APPLICATION:  # of which each bridge has one device
            self._store.claim(source, application)

    def take(self, topic: str, payload: bytes, acknowledge: Callable[[], None]) -> None:
        """Take a request. It is acknowledged when it is on disk, or when it is not for this bridge.

        Raises:
            OSError, sqlite3.Error: the disk does not do its part; the request is not acknowledged,
                and comes again.

        """
        device = "/".join(map(one_case, device_of(topic).split("/")))
        sender = self.sender_of(device)
        if sender is None:
            acknowledge()
            return
        now = self._clock.wall()
        try:
            request = parse_request(payload)
        except BadRequestError as error:
            self._refuse(error, topic, device, payload, acknowledge)
            return
        if self._is_known(device, request.id):
            self._counts.downlinks["repeated"] += 1
            self._limited.log(
                logging.INFO, "repeated", "request %s to %s came again", request.id, device
            )
            acknowledge()
            return
        self._accept(sender, device, request, now, acknowledge)

    def answered(self, answer: Answer, receipt: Receipt | None = None) -> None:
        """Note what a network server tells of a downlink; call ``receipt`` when it is on disk."""
        now = self._clock.wall()
        if (downlink := self._open.meant(answer)) and _is_news(answer, downlink):
            self._change(downlink.become(answer.state, now, answer.reason), receipt)
        elif (late := self._open.meant_late(answer)) and late.state is not answer.state:
            self._tell(late.become(answer.state, now, answer.reason), receipt, late=True)
        elif receipt is not None:
            receipt()

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

    def _look(self) -> None:
        for downlink in self._open.due(self._clock.wall()):
            self._change(downlink)
        for application in self._open.applications():
            for moteeui in self._open.motes(application):
                self._advance(application, moteeui)
        self._store.tidy(self._open, self._clock.wall())

    def _is_known(self, device: str, request_id: str) -> bool:
        return self._open.has(device, request_id) or self._store.has(device, request_id)

    def _refuse(
        self,
        error: BadRequestError,
        topic: str,
        device: str,
        payload: bytes,
        acknowledge: Callable[[], None],
    ) -> None:
        """Answer a request that cannot be taken, or keep it where it has no id to answer to."""
        self._counts.downlinks["bad"] += 1
        self._limited.log(
            logging.WARNING, "bad", "bad request for a downlink to %s: %s", device, error.reason
        )
        now = self._clock.wall()
        if error.id is None:
            reason = Reason.BAD_REQUEST
            self._store.reject(Rejected(now, topic, reason, whole=True, frame=payload), acknowledge)
        elif self._is_known(device, error.id):
            acknowledge()
        else:
            request = Request(error.id, 1, b"")
            self._end_at_once(device, request, now, error.reason, acknowledge)

    def _accept(
        self,
        sender: Sender,
        device: str,
        request: Request,
        now: int,
        acknowledge: Callable[[], None],
    ) -> None:
        if len(self._open) >= _MAX_OPEN:
            self._end_at_once(device, request, now, "too many downlinks are open", acknowledge)
            return
        expires = now + self._expires_after if request.expires is None else request.expires
        downlink = Downlink.of(request, self._store.next_number(), device, expires=expires, now=now)
        # As if it were handed over: if the bridge ends before that is settled, another may have it.
        downlink = msgspec.structs.replace(downlink, handing=self._settle > 0)
        self._counts.downlinks[State.ACCEPTED] += 1
        self._open.put(downlink)
        self._store.write(
            downlink, sender.name, receipt=partial(self._on_disk, downlink, acknowledge)
        )
        if expires <= now:
            self._change(downlink.become(State.EXPIRED, now, "it had expired when it came"))
        else:
            self._advance(downlink.application, downlink.moteeui)

    def _on_disk(self, downlink: Downlink, acknowledge: Callable[[], None]) -> None:
        """Acknowledge a request; from then on it is this bridge's own, at once or when settled."""
        acknowledge()
        if self._settle:
            asyncio.get_running_loop().call_later(self._settle, self._settled, downlink)

    def _settled(self, downlink: Downlink) -> None:
        if self._open.is_current(downlink):  # it had not expired when it came
            self._wait_again(downlink)
            self._advance(downlink.application, downlink.moteeui)

    def _wait_again(self, downlink: Downlink) -> None:
        """Let a downlink that is not being handed over after all wait for its turn."""
        waiting = msgspec.structs.replace(downlink, handing=False, reference=None)
        self._open.put(waiting)
        self._store.mark(waiting)

    def _end_at_once(
        self,
        device: str,
        request: Request,
        now: int,
        reason: str,
        acknowledge: Callable[[], None],
    ) -> None:
        number = self._store.next_number()
        downlink = Downlink.of(request, number, device, expires=now, now=now)
        self._tell(downlink.become(State.FAILED, now, reason), receipt=acknowledge)

    def _advance(self, application: str, moteeui: str) -> None:
        """Hand over what a device may be sent now."""
        sender = self.sender_of(f"{application}/{moteeui}")
        while sender is not None and sender.ready(application):
            downlink = self._open.next(moteeui)
            reference = sender.reference(self._open.references) if downlink else None
            if downlink is None or reference is None:
                return
            handing = msgspec.structs.replace(
                downlink, handing=True, reference=reference, attempt=downlink.attempt + 1
            )
            self._open.put(handing)
            self._store.mark(handing, partial(self._begin, sender, handing))

    def _begin(self, sender: Sender, downlink: Downlink) -> None:
        """Hand a downlink over, now that this is on disk."""
        task = asyncio.get_running_loop().create_task(self._hand_over(sender, downlink))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_over(self, sender: Sender, downlink: Downlink) -> None:
        try:
            handed = await sender.hand_over(downlink)
        except NotTakenError as error:
            self._change(downlink.become(State.FAILED, self._clock.wall(), str(error)))
            return
        except Exception as error:  # noqa: BLE001  # whatever it is: it may have been written
            self._limited.log(
                logging.ERROR, "handing", "downlink to %s: %s", downlink.device, error
            )
            self._change(downlink.become(State.UNKNOWN, self._clock.wall(), str(error)))
            return
        if not handed:
            self._wait_again(downlink)
        elif self._open.is_current(downlink):  # no answer was faster
            self._change(downlink.become(State.SUBMITTED, self._clock.wall()))

    def _change(self, downlink: Downlink, receipt: Receipt | None = None) -> None:
        """Note a downlink in another state, tell it, and go on with the next one of its device."""
        self._open.put(downlink)
        self._tell(downlink, receipt)
        self._advance(downlink.application, downlink.moteeui)

    def _tell(
        self,
        downlink: Downlink,
        receipt: Receipt | None = None,
        *,
        late: bool = False,
    ) -> None:
        self._counts.downlinks["late" if late else downlink.state] += 1
        sender = self.sender_of(downlink.device)
        self._store.write(downlink, sender.name if sender else "", receipt=receipt, late=late)


def _is_news(answer: Answer, downlink: Downlink) -> bool:
    """Say whether an answer takes a downlink further: network servers repeat themselves."""
    return answer.state not in _PROGRESS or (
        _PROGRESS.index(answer.state) > _PROGRESS.index(downlink.state)
    )
