"""Makes messages of frames and hands them to the spool; counts and logs what it cannot use."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from bridge import message, semtech
from bridge.bursts import Bursts
from bridge.counts import Counts
from bridge.framing import BrokenFrame, excerpt
from bridge.message import Message
from bridge.rejection import FrameRejectedError
from bridge.timestamps import Placement, Timestamper

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clock:
    """The host's clocks, passed in so that tests can set them."""

    wall: Callable[[], int]
    """Microseconds since 1970."""
    monotonic: Callable[[], float]
    """Seconds; never goes back."""


class Forwarder:
    """Takes frames in order of receipt and calls ``keep`` for each uplink among them."""

    def __init__(
        self,
        keep: Callable[[Message, Placement], None],
        timestamper: Timestamper,
        counts: Counts,
        clock: Clock,
    ) -> None:
        self._keep = keep
        self._timestamper = timestamper
        self._counts = counts
        self._clock = clock
        self._bursts = Bursts()

    def accept(self, frame: bytes | BrokenFrame, application: str | None) -> None:
        """Forward one frame. Bad input is counted and logged, never raised."""
        self._counts.received += 1
        try:
            self._forward(frame, application)
        except FrameRejectedError as error:
            self._counts.rejected[error.reason] += 1
            more = self._bursts.note(error.reason, self._clock.monotonic())
            if more is not None:
                _log.warning("frame rejected: %s%s: %r", error.reason, more, excerpt(frame))

    def _forward(self, frame: bytes | BrokenFrame, application: str | None) -> None:
        if isinstance(frame, BrokenFrame):
            raise FrameRejectedError(frame.reason)
        uplink = semtech.parse(frame, application)
        if uplink is None:
            self._counts.ignored += 1
            return
        placement = self._timestamper.place(uplink, self._clock.wall())
        self._keep(message.build(uplink, placement.given), placement)
        self._counts.accepted += 1
