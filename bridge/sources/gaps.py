"""Tells when the bridge may have missed something."""

import re
from collections.abc import Callable

from bridge.config import Aws
from bridge.messages.event import build_event
from bridge.messages.timestamper import Timestamper
from bridge.sources.forwarder import Keep
from bridge.sources.pace import Pace
from contract.names import BRIDGE_APPLICATION, EventType
from contract.times import format_time

_SECOND = 1_000_000  # microseconds
_NOT_IN_EUI = re.compile(r"[^0-9A-Za-z_.:-]")


class Gaps:
    """Keeps ``gap`` events, which are about the bridge itself; ``wall`` returns microseconds."""

    def __init__(
        self, keep: Keep, timestamper: Timestamper, aws: Aws, wall: Callable[[], int]
    ) -> None:
        self._keep = keep
        self._timestamper = timestamper
        self._device = f"{BRIDGE_APPLICATION}/{_NOT_IN_EUI.sub('-', aws.client_id)[:64]}"
        self._topic = aws.deployment.event_topic(self._device, EventType.GAP)
        self._wall = wall
        self._pace = Pace(at_once=20, every=10.0)

    def now(self) -> int:
        """Return the time, in microseconds since 1970."""
        return self._wall()

    def tell(self, source: str, what: str, reason: str, since: int | None = None) -> None:
        """Tell that ``what`` may have been missed, from ``since``, in microseconds, until now."""
        now = self._wall()
        if not self._pace.allows(what, now / _SECOND):
            return
        fields = {"what": what, "reason": reason, "until": format_time(now)}
        if since is not None:
            fields["since"] = format_time(min(since, now))  # the clock may have been set back
        placement = self._timestamper.place_event(self._device, now)
        message = build_event(self._topic, EventType.GAP, placement.given, source, fields)
        self._keep(message, placement)
