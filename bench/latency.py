"""Section: milliseconds from publish to PUBACK, of the SDK alone."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from bench import sdk_latency
from bench.errors import BenchError
from bench.load import numbered_frames
from bench.mosquitto import Mosquitto
from bench.process import PROJECT
from bench.report import Setup, say, spread, table

_RATES = (10, 100, 1000)  # publishes a second
_SECONDS = 10
_HEADER = ("publishes/s", "p50, ms", "p99, ms")


def section(setup: Setup) -> str:
    """Measure every rate in each of ``setup.repeats`` rounds; return the table."""
    found: dict[int, list[tuple[float, float]]] = {rate: [] for rate in _RATES}
    for number in range(setup.repeats):
        for rate, percentiles in found.items():
            say(f"SDK latency, round {number + 1} of {setup.repeats}: {rate:,} publishes/s …")
            percentiles.append(sdk_percentiles(setup.broker, setup.folder, rate, _SECONDS))
    rows = [
        [f"{rate:,}", *(spread(each, 2) for each in zip(*percentiles, strict=True))]
        for rate, percentiles in found.items()
    ]
    title = f"The SDK alone, publish to PUBACK, {_SECONDS} s at each rate; rounds: {setup.repeats}"
    return table(title, _HEADER, rows)


def sdk_percentiles(
    broker: Mosquitto, folder: Path, rate: int, seconds: float
) -> tuple[float, float]:
    """Return the median and the 99th percentile of ms from publish to PUBACK.

    Raises:
        BenchError: the SDK's process failed.

    """
    frames = folder / "latency-frames"
    frames.write_bytes(b"".join(numbered_frames(int(rate * seconds))))
    done = subprocess.run(
        [
            *(sys.executable, "-m", sdk_latency.__name__),
            *("--frames", str(frames), "--rate", str(rate)),
            *("--broker-port", str(broker.port), "--certificates", str(broker.folder)),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BenchError(f"the SDK's latency was not measured:\n{done.stderr}")
    hundredths = statistics.quantiles(json.loads(done.stdout), n=100, method="inclusive")
    return hundredths[49], hundredths[98]
