"""Where a frame is at what time is noted for every frame, in the order of its way."""

from itertools import pairwise
from pathlib import Path

import pytest

from lab.bench.bridge_latency import bridge_latency
from lab.bench.instrumented_bridge import milliseconds, observe
from lab.bench.sections import at_risk
from lab.bench.writer import paced
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto

pytestmark = pytest.mark.broker


def test_every_frame_is_seen_at_every_stage(broker: Mosquitto, tmp_path: Path) -> None:
    """It is written, then read, then committed and acknowledged, these two side by side."""
    times = observe(broker, tmp_path, rate=200, seconds=1)
    stages = (times.written, times.read, times.committed, times.acknowledged)
    assert [len(stage) for stage in stages] == [200] * 4
    for earlier, later in pairwise((times.written, times.read, times.committed)):
        assert min(milliseconds(earlier, later)) >= 0
    assert min(milliseconds(times.read, times.acknowledged)) >= 0


def test_the_stages_make_up_the_latency(broker: Mosquitto, tmp_path: Path) -> None:
    """The medians to the read and on to the PUBACK come near that of the whole way."""
    found = bridge_latency(broker, tmp_path, rate=100, seconds=1)
    stages = found.to_read + found.to_puback
    assert found.to_commit > 0
    assert found.median / 3 < stages < found.median * 3
    assert 0 < found.median <= found.slow < 1000


def test_a_bridge_that_misses_frames(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is measured of a run in which frames did not get to their PUBACK."""
    monkeypatch.setattr(
        "lab.bench.instrumented_bridge.paced", lambda frames, rate: paced(frames[1:], rate)
    )
    with pytest.raises(RigError, match="of 20 frames, 19 were observed"):
        observe(broker, tmp_path, rate=100, seconds=0.2)


def test_the_window_at_risk_beside_its_promise() -> None:
    """The ratio is of the 99th percentile; the longest wait is told too."""
    milliseconds_at_risk = [1.0] * 98 + [20.0] * 2
    row = at_risk.row(1000, [milliseconds_at_risk])
    assert row == ["1,000", "2.00", "1.00", "20.00", "20.00", "10"]
