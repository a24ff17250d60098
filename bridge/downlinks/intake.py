"""Takes requests for downlinks from AWS IoT, each of them once.

A downlink is on disk before its request is acknowledged.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

import msgspec

from bridge.clock import Clock
from bridge.config import Downlinks
from bridge.counts import Counts
from bridge.downlinks.dispatcher import Dispatcher
from bridge.downlinks.open_downlinks import OpenDownlinks
from bridge.downlinks.store import Store
from bridge.log_limit import LimitedLogger
from bridge.messages.downlink import Downlink
from bridge.messages.rejection import Reason
from bridge.sources.pace import Pace
from bridge.sources.source import Sender
from bridge.spool.rejected import Rejected
from contract.downlinks import BadRequestError, Request, State, check_expiry, parse_request
from contract.eui import one_case
from contract.names import device_of

_log = logging.getLogger(__name__)

_MAX_OPEN = 100_000  # downlinks, of a kilobyte of memory each
_SECOND = 1_000_000  # microseconds
_AT_ONCE, _FAILURES = 100, 10  # events of bad requests at once, and then in a second
_BAD = Reason.BAD_REQUEST


class Intake:
    """Makes downlinks of requests, and gives them to the dispatcher.

    Where bridges share requests, nothing is done with one for ``settle`` seconds after its PUBACK:
    AWS IoT must have that, or another bridge gets the request, too.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # what comes of a request goes many ways
        self,
        dispatcher: Dispatcher,
        open_downlinks: OpenDownlinks,
        store: Store,
        counts: Counts,
        clock: Clock,
        settings: Downlinks,
        settle: float,
    ) -> None:
        self._dispatcher = dispatcher
        self._open = open_downlinks
        self._store = store
        self._counts = counts
        self._clock = clock
        self._expires_after = settings.expires_after * _SECOND
        self._settle = settle if settings.share else 0.0
        self._pace = Pace(at_once=_AT_ONCE, every=1 / _FAILURES)
        self._limited = LimitedLogger(_log, now=clock.monotonic)

    def take(self, topic: str, payload: bytes, acknowledge: Callable[[], None]) -> None:
        """Take a request. It is acknowledged when it is on disk, or when it is not for this bridge.

        Raises:
            OSError, sqlite3.Error: the disk does not do its part; the request is not acknowledged,
                and comes again.

        """
        device = _device(topic)
        sender = self._dispatcher.sender_of(device)
        if sender is None:
            acknowledge()
            return
        now = self._clock.wall()
        try:
            request = parse_request(payload)
            if self._is_known(device, request.id):
                self._note_repeated(device, request.id)
                self._store.when_on_disk(device, request.id, acknowledge)
                return
            self._check(request, now)
        except BadRequestError as error:
            self._refuse(error, Rejected(now, topic, _BAD, whole=True, frame=payload), acknowledge)
            return
        self._accept(sender, device, request, now, acknowledge)

    def _check(self, request: Request, now: int) -> None:
        check_expiry(request, now)
        if len(self._open) >= _MAX_OPEN:
            raise BadRequestError("too many downlinks are open", request.id)

    def _note_repeated(self, device: str, request_id: str) -> None:
        self._counts.downlinks["repeated"] += 1
        self._limited.log(
            logging.INFO, "repeated", "request %s to %s came again", request_id, device
        )

    def _is_known(self, device: str, request_id: str) -> bool:
        return self._open.has(device, request_id) or self._store.has(device, request_id)

    def _refuse(
        self, error: BadRequestError, request: Rejected, acknowledge: Callable[[], None]
    ) -> None:
        """Answer a request that cannot be taken, or keep it where it has no id to answer to.

        It is kept, too, where such requests come too fast for events: uplinks need the rate.
        """
        device = _device(request.listener)
        self._counts.downlinks["bad"] += 1
        self._limited.log(
            logging.WARNING, "bad", "bad request for a downlink to %s: %s", device, error.reason
        )
        if error.id is None:
            self._store.reject(request, acknowledge)
        elif self._is_known(device, error.id):
            self._store.when_on_disk(device, error.id, acknowledge)
        elif self._pace.allows("", request.time / _SECOND):
            self._fail(Request(error.id, 1, b""), device, request.time, error.reason, acknowledge)
        else:
            self._limited.log(
                logging.WARNING,
                "too fast",
                "more than %d bad requests for downlinks a second: see 'lora-bridge rejected list'",
                _FAILURES,
            )
            self._store.reject(request, acknowledge)

    def _accept(
        self,
        sender: Sender,
        device: str,
        request: Request,
        now: int,
        acknowledge: Callable[[], None],
    ) -> None:
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
            self._dispatcher.change(
                downlink.become(State.EXPIRED, now, "it had expired when it came")
            )
        else:
            self._dispatcher.advance(downlink.application, downlink.moteeui)

    def _on_disk(self, downlink: Downlink, acknowledge: Callable[[], None]) -> None:
        """Acknowledge a request; from then on it is this bridge's own, at once or when settled."""
        acknowledge()
        if self._settle:
            asyncio.get_running_loop().call_later(self._settle, self._settled, downlink)

    def _settled(self, downlink: Downlink) -> None:
        if self._open.is_current(downlink):  # it had not expired when it came
            self._dispatcher.wait_again(downlink)
            self._dispatcher.advance(downlink.application, downlink.moteeui)

    def _fail(
        self,
        request: Request,
        device: str,
        now: int,
        reason: str,
        acknowledge: Callable[[], None],
    ) -> None:
        number = self._store.next_number()
        downlink = Downlink.of(request, number, device, expires=now, now=now)
        self._dispatcher.tell(downlink.become(State.FAILED, now, reason), receipt=acknowledge)


def _device(topic: str) -> str:
    """Return the device whose request came on a topic."""
    return "/".join(map(one_case, device_of(topic).split("/")))
