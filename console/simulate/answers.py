"""Decides what a simulated network server says of the downlinks it is given. Does no I/O."""

import json
import random
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import cast

from console.simulate.frames import Frame

_SENT_AFTER, _ACKNOWLEDGED_AFTER = 0.2, 0.5  # seconds
_KINDS = ("app", "immeApp")


@dataclass
class Answers:
    """The answers that are due, by time in seconds of a clock that never goes back.

    The share ``lose`` of the downlinks, 0 to 1, is never answered: a gateway did not get it, say.
    """

    rng: random.Random
    lose: float
    taken: int = 0
    lost: int = 0
    _tail: bytes = b""
    _due: list[tuple[float, int, bytes]] = field(default_factory=list)

    def read(self, data: bytes, now: float) -> None:
        """Take what the bridge has written."""
        *frames, self._tail = (self._tail + data).split(b"\0")
        for frame in filter(None, frames):
            content = cast("dict[str, Frame]", json.loads(frame))
            for kind in _KINDS:
                if kind in content:
                    self._take(content[kind], now)

    def due(self, now: float) -> bytes:
        """Return the frames that are to be written by now."""
        frames = b""
        while self._due and self._due[0][0] <= now:
            frames += heappop(self._due)[2]
        return frames

    @property
    def pending(self) -> bool:
        """Whether some are not due yet."""
        return bool(self._due)

    def _take(self, downlink: Frame, now: float) -> None:
        self.taken += 1
        if self.rng.random() < self.lose:
            self.lost += 1
            return
        mote = {"eui": downlink["moteeui"], "app": True}
        self._answer(now + _SENT_AFTER, mote | {"msgsent": downlink["token"]})
        if downlink.get("confirmed"):
            self._answer(now + _ACKNOWLEDGED_AFTER, mote | {"ackrx": True})

    def _answer(self, at: float, mote: Frame) -> None:
        frame = json.dumps({"mote": mote}).encode() + b"\0"
        heappush(self._due, (at, len(self._due), frame))
