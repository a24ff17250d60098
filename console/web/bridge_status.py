"""How a running bridge does, from its metrics. ``status`` does no I/O."""

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from prometheus_client.samples import Sample

from bridge.config import load
from console.check.chain import NotTriedError
from console.check.metrics import last_uplinks, samples

_WINDOW = 15.0  # seconds over which the rate is taken
_SHORTEST = 0.5  # seconds
_MILLISECONDS = 1000
_FRAMES, _PUBLISHES = "lora_bridge_frames_total", "lora_bridge_publishes_total"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the bridge said at ``time``, in seconds of a clock that only goes on."""

    time: float
    found: Sequence[Sample]

    def value(self, name: str, **labels: str) -> float:
        """Return a metric, the sum of those that have these labels; 0 where there is none."""
        return sum(
            each.value
            for each in self.found
            if each.name == name and labels.items() <= each.labels.items()
        )


@dataclass(frozen=True, slots=True)
class Status:
    """How it does: rates are in messages a second, None where they are not known yet.

    ``last`` is when its last uplink came, in milliseconds since 1970. ``oldest`` is the age of the
    uplink that waits for longest, in seconds.
    """

    waiting: int
    bytes: int
    oldest: int | None
    refused: int
    received: float | None
    published: float | None
    last: int | None
    servers: int
    connections: int


def status(before: Reading, now: Reading) -> Status:
    """Say how it does, from a reading, and from one before for the rates."""
    last = max(last_uplinks(now.found), default=None)
    oldest = now.value("lora_bridge_spool_oldest_seconds")
    return Status(
        waiting=round(now.value("lora_bridge_spool_messages")),
        bytes=round(now.value("lora_bridge_spool_bytes")),
        oldest=None if math.isnan(oldest) else round(oldest),
        refused=round(now.value("lora_bridge_refused_messages")),
        received=_rate(before, now, _FRAMES, "outcome", "accepted"),
        published=_rate(before, now, _PUBLISHES, "result", "published"),
        last=None if last is None else round(last[0] * _MILLISECONDS),
        servers=round(now.value("lora_bridge_network_servers")),
        connections=round(now.value("lora_bridge_connected")),
    )


def _rate(before: Reading, now: Reading, name: str, label: str, value: str) -> float | None:
    seconds = now.time - before.time
    if seconds < _SHORTEST:
        return None
    return (now.value(name, **{label: value}) - before.value(name, **{label: value})) / seconds


class BridgeStatus:
    """Asks the bridge of a configuration, and remembers what it said a moment ago."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._readings: deque[Reading] = deque()
        self._lock = Lock()

    def look(self) -> Status | None:
        """Ask it; return None where it is not configured to answer.

        Raises:
            BridgeError: the configuration cannot be used.
            NotTriedError: the bridge does not say.

        """
        http = load(self._config).http
        if http is None:
            return None
        found = samples(http)
        if not found:
            raise NotTriedError("what answers on the port of [http] is no bridge")
        now = Reading(time.monotonic(), found)
        with self._lock:
            readings = self._readings
            if readings and _accepted(now) < _accepted(readings[-1]):  # it was started again
                readings.clear()
            readings.append(now)
            while len(readings) > 1 and readings[0].time < now.time - _WINDOW:
                readings.popleft()
            return status(readings[0], now)


def _accepted(reading: Reading) -> float:
    return reading.value(_FRAMES, outcome="accepted")
