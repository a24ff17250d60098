"""Section: milliseconds to the PUBACK, through the bridge beside the SDK alone."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lab.bench import sdk_latency
from lab.bench.bridge_latency import BridgeLatency, bridge_latency
from lab.bench.load import numbered_frames
from lab.bench.process import PROJECT
from lab.bench.report import Setup, percentiles, say, spread, table
from lab.bench.sync_latency import sync_median
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto

RATES = (10, 100, 1000)  # frames or events, and publishes, a second
SECONDS = 10
"""At each rate."""
_FIGURES = (
    "ratio of p50 to SDK",
    "bridge p50, ms",
    "bridge p99, ms",
    "SDK p50, ms",
    "SDK p99, ms",
)
_STAGES = ("read to commit", "read to PUBACK", "bare sync")
HEADER = ("frames/s", *_FIGURES, "write to read", *_STAGES)
"""Of the columns of ``latencies``."""
HEADER_OF_EVENTS = ("events/s", *_FIGURES, "publish to read", *_STAGES)
_NOTES = """
Bridge: from the write to its socket to the PUBACK; SDK alone: from publish to PUBACK, by turns.
Ratio: of runs of the same round, the median; other figures: median (min-max) of rounds. Write to
read, read to commit and read to PUBACK are stages of the bridge, in ms, the last two side by side;
a bare sync is that of one page in a file on the same disk, the least that a commit can take. Both
PUBACKs are noted where the SDK calls back, in the process that published: a subscriber's view would
add the wake-up of one more process on the same cores."""

_Percentiles = tuple[float, float]
_Round = tuple[BridgeLatency, _Percentiles, float]


def section(setup: Setup) -> str:
    """Measure every rate in each of ``setup.repeats`` rounds; return the table."""
    where = (setup.broker, setup.folder)
    rows = latencies(
        setup,
        lambda rate: sdk_percentiles(*where, rate, SECONDS),
        lambda rate: bridge_latency(*where, rate, SECONDS),
    )
    title = f"Latency to the PUBACK, {SECONDS} s at each rate; rounds: {setup.repeats}"
    return table(title, HEADER, rows) + "\n" + _NOTES


def latencies(
    setup: Setup, of_sdk: Callable[[int], _Percentiles], of_bridge: Callable[[int], BridgeLatency]
) -> list[list[str]]:
    """Measure both at every rate, in rounds; return the table's lines."""
    found: dict[int, list[_Round]] = {rate: [] for rate in RATES}
    for number in range(setup.repeats):
        for rate, rounds in found.items():
            say(f"latency, round {number + 1} of {setup.repeats}: {rate:,}/s …")
            sdk, bridge = of_sdk(rate), of_bridge(rate)
            rounds.append((bridge, sdk, sync_median(setup.folder, rate, SECONDS)))
    return [_row(rate, rounds) for rate, rounds in found.items()]


def sdk_percentiles(
    broker: Mosquitto, folder: Path, rate: float, seconds: float
) -> tuple[float, float]:
    """Return the median and the 99th percentile of ms from publish to PUBACK.

    Raises:
        RigError: the SDK's process failed.

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
        raise RigError(f"the SDK's latency was not measured:\n{done.stderr}")
    return percentiles(json.loads(done.stdout))


def _row(rate: int, rounds: list[_Round]) -> list[str]:
    bridges = [bridge for bridge, _, _ in rounds]
    ratio = statistics.median(bridge.median / sdk_median for bridge, (sdk_median, _), _ in rounds)
    return [
        f"{rate:,}",
        f"{ratio:.2f}",
        spread([each.median for each in bridges], 2),
        spread([each.slow for each in bridges], 2),
        spread([sdk_median for _, (sdk_median, _), _ in rounds], 2),
        spread([sdk_slow for _, (_, sdk_slow), _ in rounds], 2),
        spread([each.to_read for each in bridges], 2),
        spread([each.to_commit for each in bridges], 2),
        spread([each.to_puback for each in bridges], 2),
        spread([sync for *_, sync in rounds], 2),
    ]
