"""Each contender does what the table says of it."""

from pathlib import Path

import pytest

from lab.bench.contenders import (
    ARTICLE,
    BRIDGE,
    FRAMED,
    PIPELINE,
    SDK_CALLBACK,
    SDK_LOOP,
    Contender,
)
from lab.bench.load import numbered_frames
from lab.bench.measure import measure
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto

pytestmark = pytest.mark.broker

FRAMES = 500


@pytest.mark.parametrize(
    "contender", [BRIDGE, SDK_LOOP, SDK_CALLBACK, FRAMED], ids=lambda each: each.name
)
def test_a_burst_arrives_whole(contender: Contender, broker: Mosquitto, tmp_path: Path) -> None:
    """Who cuts frames rightly and publishes at QoS 1 loses none of a burst."""
    result = measure(contender, broker, tmp_path, numbered_frames(FRAMES))
    assert (result.delivered, result.lost) == (FRAMES, 0)
    assert result.rate > 100
    assert 0 <= result.cpu < 10
    assert 10 < result.peak < 1000


def test_the_pipeline_delivers_a_burst(broker: Mosquitto, tmp_path: Path) -> None:
    """The shell's pipeline loses none of a burst either, down to the last frame."""
    if PIPELINE.missing():
        pytest.skip(PIPELINE.missing())
    result = measure(PIPELINE, broker, tmp_path, numbered_frames(FRAMES))
    assert (result.delivered, result.lost) == (FRAMES, 0)


def test_the_articles_bridge_loses_a_burst(broker: Mosquitto, tmp_path: Path) -> None:
    """It takes what one read returns as one frame, and a burst's reads hold many."""
    result = measure(ARTICLE, broker, tmp_path, numbered_frames(FRAMES))
    assert result.lost > FRAMES / 2


def test_the_articles_bridge_survives_single_frames(broker: Mosquitto, tmp_path: Path) -> None:
    """It delivers frames that come slowly, one by one: the rewrite does what the original did."""
    result = measure(ARTICLE, broker, tmp_path, numbered_frames(50), rate=50)
    assert result.lost == 0
    assert 40 < result.rate < 60


def test_a_rival_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported with what to install."""
    monkeypatch.setenv("PATH", "")
    packages = "netcat-openbsd mosquitto-clients"
    assert PIPELINE.missing() == f"not installed: apt-get install {packages}"
    assert not BRIDGE.missing()


def test_a_contender_that_does_not_start(broker: Mosquitto, tmp_path: Path) -> None:
    """The error has its name and its log."""
    broken = Contender("broken", lambda _place, _frames: ["/bin/ls", "/nowhere"], "ready")
    with pytest.raises(RigError, match=r"broken did not start:\n(?s:.*)/nowhere"):
        measure(broken, broker, tmp_path, numbered_frames(1))
