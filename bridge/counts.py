"""What the bridge has done since it started, for its last line and its reports."""

from collections import Counter
from dataclasses import dataclass, field

from bridge.messages.rejection import Reason
from contract.downlinks import State

_APPLICATIONS = 100
OTHER = "(other)"
"""No AppEUI has parentheses."""


@dataclass(slots=True)
class Counts:
    """Frames by what became of them.

    ``received`` frames are ``accepted`` (to be published), ``noticed`` (they tell of devices or of
    downlinks), ``ignored`` (of a kind not forwarded) or ``rejected``. ``published`` counts
    successful PUBACKs of uplinks and ``events`` those of events, ``refused`` the other ones but
    those that asked for a slower pace, ``throttled``; ``unanswered`` publishes had none.
    ``reconnects`` are the connections to AWS IoT that were made anew. ``downlinks`` counts the
    states that downlinks came to, and the requests that were ``bad``, ``repeated``, ``foreign`` or
    ``dropped``. ``events_dropped`` came too fast from one device. ``last_uplinks`` says when an
    uplink of each application came, of so many applications and of all others as one.
    """

    received: int = 0
    accepted: int = 0
    noticed: int = 0
    ignored: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)
    published: int = 0
    events: int = 0
    refused: int = 0
    throttled: int = 0
    unanswered: int = 0
    reconnects: int = 0
    downlinks: Counter[str] = field(default_factory=Counter)
    events_dropped: int = 0
    last_uplinks: dict[str, int] = field(default_factory=dict)

    def note_uplink(self, application: str, time: int) -> None:
        """Note when an application's last uplink came, in microseconds since 1970."""
        if application not in self.last_uplinks and len(self.last_uplinks) >= _APPLICATIONS:
            application = OTHER
        self.last_uplinks[application] = time

    def summary(self) -> str:
        """Return every count as ``name=number``, and the rejected ones by reason."""
        reasons = ", ".join(f"{reason}: {n}" for reason, n in sorted(self.rejected.items()))
        return (
            f"received={self.received} accepted={self.accepted} noticed={self.noticed}"
            f" ignored={self.ignored} rejected={self.rejected.total()}"
            f" downlinks={self.downlinks[State.ACCEPTED]} events={self.events}"
            f" published={self.published} refused={self.refused}"
            + (f" ({reasons})" if reasons else "")
        )
