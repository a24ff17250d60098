"""Keeps floods of equal events out of the log."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

_QUIET = 60.0  # seconds after which an event that goes on is logged again


@dataclass(slots=True)
class _Burst:
    began_at: float
    logged: int = 1
    withheld: int = 0


class LimitedLogger:
    """Logs the first ``lines`` events of a kind in a minute, and says later how many more came.

    ``now`` returns seconds, of a clock that never goes back.
    """

    def __init__(
        self, logger: logging.Logger, lines: int = 1, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._logger = logger
        self._lines = lines
        self._now = now
        self._bursts: dict[str, _Burst] = {}

    def log(self, level: int, kind: str, text: str, *args: object) -> None:
        """Log an event, as ``logging`` does, if its kind has not been logged enough.

        Kinds must be few: reasons and result codes, never anything that a frame can choose.
        """
        now = self._now()
        burst = self._bursts.get(kind)
        if burst is None or now - burst.began_at >= _QUIET:
            self._bursts[kind] = _Burst(now)
            withheld = burst.withheld if burst else 0
            more = f" (and {withheld} more before)" if withheld else ""
            self._logger.log(level, f"{text}%s", *args, more)  # noqa: G004  # no value is in it
        elif burst.logged < self._lines:
            burst.logged += 1
            self._logger.log(level, text, *args)
        else:
            burst.withheld += 1
