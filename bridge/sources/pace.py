"""Bounds how many events each device may tell of itself. Does no I/O."""

from collections import OrderedDict

AT_ONCE = 20  # events
EVERY = 10.0  # seconds for one more
_DEVICES = 10_000  # remembered


class Pace:
    """Lets each device have some events at once, and then one each ten seconds.

    A device that joins without end must not take the room or the rate of uplinks.
    """

    def __init__(self) -> None:
        self._busy_until = OrderedDict[str, float]()  # as if each event took its time

    def allows(self, device: str, now: float) -> bool:
        """Say whether an event of a device may go on; ``now`` is in seconds."""
        busy_until = max(self._busy_until.pop(device, now), now)
        allowed = busy_until - now <= (AT_ONCE - 1) * EVERY
        self._busy_until[device] = busy_until + EVERY if allowed else busy_until
        if len(self._busy_until) > _DEVICES:
            self._busy_until.popitem(last=False)
        return allowed
