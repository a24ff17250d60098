"""A full spool is made, drained and told of as the section says."""

import subprocess
import sys
from pathlib import Path

import pytest

from lab.bench import drain
from lab.bench.drain import Drain
from lab.bench.full_spool import fill
from lab.bench.process import PROJECT
from lab.bench.sections import backlog
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto
from lab.rig.spools import committed, waiting

pytestmark = pytest.mark.broker

MESSAGES = 4000
LIMIT = 60.0  # seconds


def test_a_full_spool(tmp_path: Path) -> None:
    """It has a message and a placement for each number, over several commits."""
    fill(tmp_path / "spool.db", 10_500)
    assert waiting(tmp_path / "spool.db") == 10_500
    assert committed(tmp_path / "spool.db") == 10_500


def test_a_full_spool_is_drained(broker: Mosquitto, tmp_path: Path) -> None:
    """Every message of it is delivered, and then deleted; each quarter has its figures."""
    fill(tmp_path / "spool.db", MESSAGES)
    found = drain.drain(broker, tmp_path, MESSAGES)
    assert found.lost == 0
    assert waiting(tmp_path / "spool.db") == 0
    assert 0 < found.first < LIMIT
    assert len(found.rates) == len(found.resident) == 4
    assert all(rate >= 0 for rate in found.rates)
    assert 10 < found.resident[0] <= found.peak < 1000
    assert found.file > 0
    assert found.wal > 0


def test_a_spool_with_fewer_messages(broker: Mosquitto, tmp_path: Path) -> None:
    """A drain that goes no further is an error, and no wait without end."""
    fill(tmp_path / "spool.db", 10)
    with pytest.raises(RigError, match="delivered 10 of its spool, and no more"):
        drain.drain(broker, tmp_path, 20, patience=2.0)


def test_a_spool_too_small_to_measure(broker: Mosquitto, tmp_path: Path) -> None:
    """Quarters that nobody could tell apart are an error, and no figures."""
    fill(tmp_path / "spool.db", 1)
    with pytest.raises(RigError, match="1 messages are too few"):
        drain.drain(broker, tmp_path, 1)


def test_figures_stand_beside_their_promises() -> None:
    """Each is divided by what was promised, and the quarters by each other."""
    found = Drain(1.0, (100.0, 90.0, 80.0, 100.0), (50.0,) * 4, 75.0, 300.0, 4.0, lost=0)
    rows = {row[0]: row[1:] for row in backlog.rows(found)}
    assert rows["start to first delivery, s"] == ["0.50", "1.00", "at most 2"]
    assert rows["peak RSS, MB"] == ["0.75", "75", "below 100"]
    assert rows["slowest quarter to fastest"][0] == "0.80"


def test_a_section_by_its_name() -> None:
    """It alone is printed: here both tables of a small backlog, with nothing lost."""
    said = _bench("backlog", "--backlog", "2000", "--frames", "500")
    assert said.returncode == 0, said.stderr
    assert said.stdout.count("| --- |") == 2
    assert "finds 2,000 messages" in said.stdout
    bursts = [line for line in said.stdout.splitlines() if line.startswith(("| 500 |", "| 2,000"))]
    assert [line.split(" | ")[-1] for line in bursts] == ["0 |", "0 |"]


def test_a_section_that_does_not_exist() -> None:
    """The error names those that do."""
    said = _bench("nonsense")
    assert said.returncode == 2
    assert "throughput" in said.stderr
    assert "at_risk" in said.stderr


def _bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab.bench", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
