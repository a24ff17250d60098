"""Bounds how many events may be told. Does no I/O."""

from collections import OrderedDict

_NAMES = 10_000  # remembered


class Pace:
    """Lets each name have ``at_once`` events at once, and then one each ``every`` seconds.

    A device that joins without end must not take the room or the rate of uplinks. A clock that goes
    back holds nobody up for longer than twice the time of ``at_once``: events that come in another
    order than they happened have smaller steps back.
    """

    def __init__(self, at_once: int, every: float) -> None:
        self.at_once = at_once
        self.every = every
        self._busy_until = OrderedDict[str, float]()  # as if each event took its time

    def allows(self, name: str, now: float) -> bool:
        """Say whether an event may be told; ``now`` is in seconds."""
        busy_until = max(self._busy_until.pop(name, now), now)
        if busy_until - now > 2 * self.at_once * self.every:  # the clock went back
            busy_until = now
        allowed = busy_until - now <= (self.at_once - 1) * self.every
        self._busy_until[name] = busy_until + self.every if allowed else busy_until
        if len(self._busy_until) > _NAMES:
            self._busy_until.popitem(last=False)
        return allowed
