"""The tables say what was measured."""

from pathlib import Path

import pytest

from lab.bench.contenders import CONTENDERS
from lab.bench.report import Setup, spread, table
from lab.bench.sections import throughput
from lab.bench.sections.latency import sdk_percentiles
from lab.bench.sync_latency import sync_median
from lab.rig.machine import machine
from lab.rig.mosquitto import Mosquitto


def test_spread() -> None:
    """A figure is the median, with the range where there are several runs."""
    assert spread([3000.0, 1000.0, 2000.0]) == "2,000 (1,000-3,000)"
    assert spread([1.234], 2) == "1.23"


def test_table() -> None:
    """Numbers stand to the right, as Markdown has it."""
    text = table("Title", ("who", "what"), [("a", "1"), ("b", "2")])
    assert text == "**Title**\n\n| who | what |\n| --- | ---: |\n| a | 1 |\n| b | 2 |"


@pytest.mark.broker
def test_machine() -> None:
    """The first line names the broker and the SDK with their versions."""
    assert "mosquitto version 2" in machine()
    assert "awscrt 0" in machine()


@pytest.mark.broker
def test_every_contender_has_a_row(broker: Mosquitto, tmp_path: Path) -> None:
    """The table of a short burst has all contenders, the SDK being one time itself."""
    text = throughput.section(Setup(broker, tmp_path, frames=500, repeats=1, backlog=0))
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert [row[0].removeprefix("| ") for row in rows[2:]] == [each.name for each in CONTENDERS]
    by_name = {row[0].removeprefix("| "): row for row in rows}
    assert by_name["SDK alone, loop"][1] == "1.00"
    assert by_name["SDK alone, callback"][2] == "1.00"
    assert by_name["lora-bridge"][4] == "0"


@pytest.mark.broker
def test_latency(broker: Mosquitto, tmp_path: Path) -> None:
    """A PUBACK takes its time, and the slow ones longer."""
    median, slow = sdk_percentiles(broker, tmp_path, rate=100, seconds=1)
    assert 0 < median <= slow < 1000


def test_sync(tmp_path: Path) -> None:
    """A sync takes its time, and leaves nothing behind."""
    assert 0 < sync_median(tmp_path, rate=100, seconds=0.5) < 1000
    assert list(tmp_path.iterdir()) == []
