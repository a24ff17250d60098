"""How long a frame takes through the bridge, from the socket write to the PUBACK."""

import statistics
from dataclasses import dataclass
from pathlib import Path

from lab.bench.instrumented_bridge import Times, milliseconds, observe
from lab.bench.report import percentiles
from lab.rig.mosquitto import Mosquitto


@dataclass(frozen=True)
class BridgeLatency:
    """Milliseconds: of the whole way median and 99th percentile, of its stages the median.

    Both the commit and the PUBACK are from the read on, since they go side by side.
    """

    median: float
    slow: float
    to_read: float
    to_commit: float
    to_puback: float


def bridge_latency(broker: Mosquitto, folder: Path, rate: float, seconds: float) -> BridgeLatency:
    """Measure it at ``rate`` frames a second, with the spool below ``folder``.

    Raises:
        RigError: the bridge did not start, or lost a frame.

    """
    return latency_of(observe(broker, folder, rate, seconds))


def latency_of(times: Times) -> BridgeLatency:
    """Return what the times of all frames make."""
    return BridgeLatency(
        *percentiles(milliseconds(times.written, times.acknowledged)),
        statistics.median(milliseconds(times.written, times.read)),
        statistics.median(milliseconds(times.read, times.committed)),
        statistics.median(milliseconds(times.read, times.acknowledged)),
    )
