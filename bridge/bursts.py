"""Keeps floods of equal events out of the log."""

from dataclasses import dataclass

_QUIET = 60.0  # seconds that must pass before the same event is said again


@dataclass(slots=True)
class _Burst:
    said_at: float
    unsaid: int = 0


class Bursts:
    """Says of each event whether it begins a burst and so is worth a line.

    Keys must be few: reasons and result codes, never anything a frame can choose.
    """

    def __init__(self) -> None:
        self._bursts: dict[str, _Burst] = {}

    def note(self, key: str, now: float) -> str | None:
        """Return what to append to the line about this event, or None to say nothing.

        ``now`` is in seconds of a clock that never goes back.
        """
        burst = self._bursts.get(key)
        if burst is not None and now - burst.said_at < _QUIET:
            burst.unsaid += 1
            return None
        self._bursts[key] = _Burst(now)
        return f" (and {burst.unsaid} more before)" if burst and burst.unsaid else ""
