"""Makes messages of frames and hands them to the spool; counts, logs and keeps what is rejected."""

import logging
from collections.abc import Callable

from bridge.clock import Clock
from bridge.config import Listen
from bridge.counts import Counts
from bridge.log_limit import Bursts
from bridge.messages import message
from bridge.messages.message import Message
from bridge.messages.rejection import BrokenFrame, FrameRejectedError, excerpt
from bridge.messages.timestamper import Placement, Timestamper
from bridge.messages.trace import trace, traced
from bridge.sources.semtech import frames
from bridge.spool.rejected import Rejected

_log = logging.getLogger(__name__)

Keep = Callable[[Message, Placement], None]


class Forwarder:
    """Takes frames in order of receipt and calls ``keep`` for each uplink among them.

    ``reject`` is called for each frame that cannot become one.
    """

    def __init__(
        self,
        keep: Keep,
        reject: Callable[[Rejected], None],
        timestamper: Timestamper,
        counts: Counts,
        clock: Clock,
    ) -> None:
        self._keep = keep
        self._reject = reject
        self._timestamper = timestamper
        self._counts = counts
        self._clock = clock
        self._bursts = Bursts()

    def accept(self, frame: bytes | BrokenFrame, listen: Listen) -> bool:
        """Forward one frame; return whether it was good. Bad ones are counted and logged."""
        self._counts.received += 1
        try:
            self._forward(frame, listen.application)
        except FrameRejectedError as error:
            self._counts.rejected[error.reason] += 1
            more = self._bursts.note(error.reason, self._clock.monotonic())
            if more is not None:
                _log.warning(
                    "frame rejected: %s%s: see 'lora-bridge rejected list'", error.reason, more
                )
            _log.debug("frame rejected: %s: %r", error.reason, excerpt(frame))
            whole = isinstance(frame, bytes)
            data = frame if isinstance(frame, bytes) else frame.excerpt
            now = self._clock.wall()
            self._reject(Rejected(now, listen.address, error.reason, whole, data))
            return False
        return True

    def again(self, frame: bytes, application: str | None, received: int, keep: Keep) -> bool:
        """Forward a frame, by ``keep``, as of when it was received; return whether it is an uplink.

        It was counted then, and is not counted again.

        Raises:
            FrameRejectedError: it is rejected as before, or for another reason.

        """
        uplink = frames.parse(frame, application)
        if uplink is not None:
            placement = self._timestamper.place(uplink, received)
            keep(message.build(uplink, placement.given), placement)
        return uplink is not None

    def _forward(self, frame: bytes | BrokenFrame, application: str | None) -> None:
        if isinstance(frame, BrokenFrame):
            raise FrameRejectedError(frame.reason)
        uplink = frames.parse(frame, application)
        if uplink is None:
            self._counts.ignored += 1
            return
        now = self._clock.wall()
        placement = self._timestamper.place(uplink, now)
        if uplink.received_at and placement.wanted == now:
            self._doubt_clock(placement.device, min(uplink.received_at) - now)
        built = message.build(uplink, placement.given)
        if traced():
            trace([built], f"received: {built.payload.decode()}")
        self._keep(built, placement)
        self._counts.accepted += 1
        self._counts.note_uplink(uplink.application, now)

    def _doubt_clock(self, device: str, ahead: int) -> None:
        more = self._bursts.note("clock", self._clock.monotonic())
        if more is not None:
            _log.warning(
                "no gateway time of %s is plausible%s: %.0f s from this host's, which is used:"
                " check this host's clock, or the gateway's",
                *(device, more, ahead / 1_000_000),
            )
