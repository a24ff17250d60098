"""What steady rates cost is measured by turns, of contenders that all run."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from lab.bench.contenders import BRIDGE, FRAMED, NODE_RED, SDK_STEADY
from lab.bench.report import NOTHING, Setup
from lab.bench.sections import steady
from lab.bench.sections.steady import costs, runner_of_frames, section
from lab.bench.turns import TURNS, by_turns
from lab.rig.mosquitto import Mosquitto

pytestmark = pytest.mark.broker


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let contenders work for two seconds at one rate."""
    monkeypatch.setattr(steady, "SECONDS", 2)
    monkeypatch.setattr(steady, "RATES", (100,))


def test_each_has_its_turns(broker: Mosquitto, tmp_path: Path) -> None:
    """All that was sent to it is delivered, and its time is that of its own turns."""
    contenders = [BRIDGE, SDK_STEADY, FRAMED]
    with ExitStack() as stack:
        runners = []
        for number, contender in enumerate(contenders):
            (folder := tmp_path / str(number)).mkdir()
            runner = runner_of_frames(broker, contender, folder, 100)
            runners.append(stack.enter_context(runner))
        results = by_turns(runners, broker, 200 // TURNS)
    for result in results:
        assert (result.sent, result.lost) == (200, 0)
        assert 1.8 < result.seconds < 4
        assert 0 < result.cpu < result.seconds
        assert 10 < result.peak < 1000


def test_a_rival_that_is_not_there(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table says how to install it, and has no ratios."""
    monkeypatch.setenv("PATH", "")
    setup = Setup(broker, tmp_path, frames=0, repeats=1, backlog=0)
    start = partial(runner_of_frames, broker)
    sdk, rival = costs(setup, [SDK_STEADY, NODE_RED], NODE_RED, start)
    assert sdk[2] == NOTHING
    assert rival[1] == "not installed: npm i -g node-red"


def test_the_table(broker: Mosquitto, tmp_path: Path) -> None:
    """Every contender has a line, and loses nothing."""
    text = section(Setup(broker, tmp_path, frames=0, repeats=1, backlog=0))
    lines = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    assert [line[0].removeprefix("| ") for line in lines][:3] == [
        *(BRIDGE.name, SDK_STEADY.name, FRAMED.name)
    ]
    assert {line[-2] for line in lines[:3]} == {"0"}
