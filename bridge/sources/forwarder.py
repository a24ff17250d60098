"""Makes messages of frames and hands them to the spool; counts, logs and keeps what is rejected."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from bridge.clock import Clock
from bridge.counts import Counts
from bridge.log_limit import LimitedLogger
from bridge.messages import message
from bridge.messages.downlink import Answer
from bridge.messages.event import DeviceEvent, Notice, build_event
from bridge.messages.message import Message
from bridge.messages.rejection import BrokenFrame, FrameRejectedError, excerpt, remedy
from bridge.messages.timestamper import APART, Placement, Timestamper
from bridge.messages.trace import trace, traced
from bridge.messages.uplink import Uplink
from bridge.sources.pace import Pace
from bridge.sources.source import Parse
from bridge.spool.batch import Receipt
from bridge.spool.rejected import Rejected
from contract.deployment import Deployment
from contract.names import EventType

_log = logging.getLogger(__name__)
_SECOND = 1_000_000  # microseconds
_LEAD = 300 * _SECOND  # of a network server's clock, before it is doubted
_DEVICES = 20_000  # whose applications are remembered


class Keep(Protocol):
    """Takes a message, to be published."""

    def __call__(
        self, message: Message, placement: Placement, receipt: Receipt | None = None, /
    ) -> None:
        """Call ``receipt`` once the message is on disk."""


class Reject(Protocol):
    """Takes a frame that cannot become a message."""

    def __call__(self, frame: Rejected, receipt: Receipt | None = None, /) -> None:
        """Call ``receipt`` once the frame is on disk."""


class Answered(Protocol):
    """Takes what a network server tells of a downlink."""

    def __call__(self, answer: Answer, receipt: Receipt | None = None, /) -> None:
        """Call ``receipt`` once it is on disk."""


class Forwarder:
    """Takes frames in order of receipt and calls ``keep`` for each uplink or event among them.

    ``reject`` is called for each frame that cannot become one, ``answered`` for what is told of a
    downlink, and ``joined`` with the EUI of a device that has joined. The messages go to
    ``deployment``.
    """

    def __init__(  # noqa: PLR0913  # what comes of a frame goes many ways
        self,
        keep: Keep,
        reject: Reject,
        answered: Answered,
        timestamper: Timestamper,
        counts: Counts,
        clock: Clock,
        *,
        deployment: Deployment,
        joined: Callable[[str], None] = lambda _moteeui: None,
    ) -> None:
        self._keep = keep
        self._reject = reject
        self._answered = answered
        self._timestamper = timestamper
        self._counts = counts
        self._clock = clock
        self._deployment = deployment
        self._joined = joined
        self._limited = LimitedLogger(_log, now=clock.monotonic)
        self._pace = Pace(at_once=20, every=10.0)  # of each device
        self._pace_of_all = Pace(at_once=1_000, every=0.05)  # frames can name any number of devices
        self._applications = OrderedDict[str, str]()  # of devices, by their own EUIs

    def accept(
        self, frame: bytes | BrokenFrame, origin: str, parse: Parse, receipt: Receipt | None = None
    ) -> bool:
        """Forward one frame; return whether it was good. Bad ones are counted and logged.

        ``origin`` names where it came to. ``receipt`` is called once: when the message is in the
        spool, when the rejected frame is in the quarantine, or at once when there is nothing to
        keep.
        """
        self._counts.received += 1
        try:
            self._forward(frame, parse, receipt)
        except FrameRejectedError as error:
            self._counts.rejected[error.reason] += 1
            self._limited.log(
                logging.WARNING,
                error.reason,
                "frame rejected: %s: %s",
                *(error.reason, remedy(error.reason)),
            )
            _log.debug("frame rejected: %s: %r", error.reason, excerpt(frame))
            whole = isinstance(frame, bytes)
            data = frame if isinstance(frame, bytes) else frame.excerpt
            now = self._clock.wall()
            self._reject(Rejected(now, origin, error.reason, whole, data), receipt)
            return False
        return True

    def again(self, frame: bytes, parse: Parse, received: int, keep: Keep) -> bool:
        """Forward a frame, by ``keep``, as of when it was received; return whether it is an uplink.

        It was counted then, and is not counted again.

        Raises:
            FrameRejectedError: it is rejected as before, or for another reason.

        """
        uplink = parse(frame)
        if not isinstance(uplink, Uplink):
            return False
        placement = self._timestamper.place(uplink, received)
        keep(message.build(uplink, placement.given, self._deployment), placement)
        return True

    def _forward(self, frame: bytes | BrokenFrame, parse: Parse, receipt: Receipt | None) -> None:
        if isinstance(frame, BrokenFrame):
            raise FrameRejectedError(frame.reason)
        uplink = parse(frame)
        if not isinstance(uplink, Uplink):
            self._notice(uplink or Notice(), receipt)
            return
        now = self._clock.wall()
        placement = self._timestamper.place(uplink, now)
        if uplink.received_at:
            self._doubt_clocks(placement, uplink.received_at, now)
        elif placement.wanted > now + _LEAD:
            self._doubt_server(placement, now)
        built = message.build(uplink, placement.given, self._deployment)
        if traced():
            trace([built], f"received: {built.payload.decode()}")
        self._keep(built, placement, receipt)
        self._counts.accepted += 1
        self._counts.note_uplink(uplink.application, now)
        self._note_application(uplink)

    def _notice(self, notice: Notice, receipt: Receipt | None) -> None:
        """Tell what is no uplink; the receipt goes with the last of it."""
        events = [event for event in map(self._event, notice.events) if event is not None]
        receipts = [*[None] * (len(notice.answers) + len(events) - 1), receipt]
        calls = [
            *(partial(self._answered, answer) for answer in notice.answers),
            *(partial(self._keep, *event) for event in events),
        ]
        for call, with_receipt in zip(calls, receipts, strict=False):
            call(with_receipt)
        for event in notice.events:
            if event.kind is EventType.JOIN:
                self._joined(event.device)
        if calls:
            self._counts.noticed += 1
        else:
            self._counts.ignored += 1
            if receipt is not None:
                receipt()

    def _event(self, event: DeviceEvent) -> tuple[Message, Placement] | None:
        """Return an event's message and placement, None where it cannot or must not be told."""
        application = event.application or self._applications.get(event.device)
        if application is None:
            return None
        device = f"{application}/{event.device}"
        if not self._allows(device, event):
            self._counts.events_dropped += 1
            self._limited.log(
                logging.WARNING,
                "events",
                "events are dropped, the last of %s: more than %d at once and one each %.0f s of a"
                " device, or too many of all",
                *(device, self._pace.at_once, self._pace.every),
            )
            return None
        time = self._clock.wall() if event.time is None else event.time
        placement = self._timestamper.place_event(device, time, event.identity)
        topic = self._deployment.event_topic(device, event.kind)
        built = build_event(topic, event.kind, placement.given, event.source, event.fields)
        return built, placement

    def _allows(self, device: str, event: DeviceEvent) -> bool:
        """Say whether an event may be told.

        Where the network server says when it was, that counts: what waited for the bridge comes all
        at once, and has a broker before it that nobody floods unseen.
        """
        if event.time is not None:
            return self._pace.allows(device, event.time / _SECOND)
        now = self._clock.monotonic()
        return self._pace.allows(device, now) and self._pace_of_all.allows("", now)

    def _note_application(self, uplink: Uplink) -> None:
        """Remember whose device it is, for frames that name the device alone."""
        self._applications[uplink.device] = uplink.application
        if len(self._applications) > _DEVICES:
            self._applications.popitem(last=False)

    def _doubt_server(self, placement: Placement, now: int) -> None:
        """Say that the network server's time is not this host's."""
        self._limited.log(
            logging.WARNING,
            "server's clock",
            "the network server's time of %s is %.0f s ahead of this host's, and is used: check"
            " both clocks",
            *(placement.device, (placement.wanted - now) / _SECOND),
        )

    def _doubt_clocks(self, placement: Placement, times: Sequence[int], now: int) -> None:
        """Say that clocks disagree: all gateways with the host, or one with the others."""
        if placement.wanted == now:
            self._limited.log(
                logging.WARNING,
                "clock",
                "no gateway time of %s is plausible: %.0f s from this host's, which is used: check"
                " this host's clock, or the gateway's",
                *(placement.device, (min(times) - now) / _SECOND),
            )
        elif max(times) - min(times) > APART:
            self._limited.log(
                logging.WARNING,
                "clocks",
                "the gateways that heard %s disagree by %.0f s on when: check their clocks",
                *(placement.device, (max(times) - min(times)) / _SECOND),
            )
