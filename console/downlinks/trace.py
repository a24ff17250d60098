"""What has become of a downlink, from the events of its device. Does no I/O."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from contract.downlinks import State, is_end
from contract.names import EVENT_TYPE, SORT_KEY, EventType
from contract.rows import Row
from contract.times import format_time, parse_time

_MILLISECOND = 1_000  # microseconds

MEANINGS = {
    State.ACCEPTED: "it is on the bridge's disk",
    State.SUBMITTED: "it was written to the network server",
    State.SENT: "a gateway was told to send it, which does not prove that the device got it",
    State.ACKNOWLEDGED: "the device has confirmed it",
    State.NOT_ACKNOWLEDGED: "the network server says that the device did not confirm it",
    State.FAILED: "it was not sent, and never will be",
    State.EXPIRED: "it was not handed to a network server before it expired",
    State.UNKNOWN: "nothing more can be learnt: it may have been sent or not",
}
"""What each state proves, as docs/downlinks.md says it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A state that a downlink has come to, ``at`` a time in microseconds since 1970."""

    state: State
    at: int
    reason: str = ""
    late: bool = False

    def line(self, asked: int) -> str:
        """Return it as a line for people, with the milliseconds since it was ``asked`` for."""
        after = (self.at - asked) // _MILLISECOND
        late = " (late)" * self.late
        reason = f": {self.reason}" * bool(self.reason)
        return f"{format_time(self.at)} {after:+7d} ms  {self.state}{late}{reason}"


class Trace:
    """The steps of one downlink: which have been seen, and whether it has ended."""

    def __init__(self, request_id: str, *, confirmed: bool) -> None:
        self._id = request_id
        self._confirmed = confirmed
        self._seen: set[int] = set()
        self.last: State | None = None
        self.ended = False

    def news(self, events: Iterable[Row]) -> Iterator[Step]:
        """Yield the steps among the events of its device that were not seen before."""
        for event in events:
            step = self._step(event)
            if step is None or step.at in self._seen:
                continue
            self._seen.add(step.at)
            if not step.late:
                self.last = step.state
                self.ended |= is_end(step.state, confirmed=self._confirmed)
            yield step

    @property
    def is_good(self) -> bool:
        """Whether all that was asked for has happened: only a confirmed one proves reception."""
        wanted = State.ACKNOWLEDGED if self._confirmed else State.SENT
        return self.last is wanted

    def _step(self, event: Row) -> Step | None:
        if event.get(EVENT_TYPE) != EventType.DOWNLINK or event.get("id") != self._id:
            return None
        at = parse_time(str(event.get(SORT_KEY)))
        state = event.get("state")
        if at is None or state not in set(State):
            return None
        return Step(State(str(state)), at, str(event.get("reason", "")), event.get("late") is True)
