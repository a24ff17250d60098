"""The way back is measured for each request, beside the SDK's own subscriber."""

from pathlib import Path

import pytest

from lab.bench.sections.downlinks import cost
from lab.bench.way_back import through_bridge, to_subscriber

pytestmark = pytest.mark.broker


def test_each_request_takes_its_time(tmp_path: Path) -> None:
    """Through the bridge to the socket, and to the SDK's callback."""
    for measured in (through_bridge, to_subscriber):
        found = measured(tmp_path, rate=100, seconds=0.5)
        assert len(found) == 50
        assert 0 < min(found) <= max(found) < 10_000


def test_open_downlinks_take_memory(tmp_path: Path) -> None:
    """The bridge with some runs on, and takes its share of a core for frames."""
    found = cost(tmp_path, count=200, seconds=1)
    assert 0 <= found.idle < 100
    assert 0 < found.busy < 100
    assert 20 < found.peak < 200
