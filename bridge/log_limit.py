"""Keeps floods of equal events out of the log."""

from dataclasses import dataclass

_QUIET = 60.0  # seconds after which an event that goes on is said again


@dataclass(slots=True)
class _Burst:
    began_at: float
    said: int = 1
    unsaid: int = 0


class Bursts:
    """Says of each event whether it is worth a line: the first ``lines`` of a minute are.

    Keys must be few: reasons and result codes, never anything a frame can choose.
    """

    def __init__(self, lines: int = 1) -> None:
        self._lines = lines
        self._bursts: dict[str, _Burst] = {}

    def note(self, key: str, now: float) -> str | None:
        """Return what to append to the line about this event, or None to say nothing.

        ``now`` is in seconds of a clock that never goes back.
        """
        burst = self._bursts.get(key)
        if burst is None or now - burst.began_at >= _QUIET:
            self._bursts[key] = _Burst(now)
            return f" (and {burst.unsaid} more before)" if burst and burst.unsaid else ""
        if burst.said < self._lines:
            burst.said += 1
            return ""
        burst.unsaid += 1
        return None
