"""The pages are measured in Chromium, step by step."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.bench.report import Setup
from lab.bench.sections.web import MEMORY, measured_demo, measured_devices, rows
from lab.bench.web_session import ERRORS, FIRST, PATH, SORT, STEPS, Times
from lab.rig.browser import chromium
from lab.rig.mosquitto import Mosquitto


@pytest.mark.broker
@pytest.mark.browser
def test_a_round(broker: Mosquitto, tmp_path: Path) -> None:
    """Each step of the devices is there and takes time, of a network of a few."""
    setup = Setup(broker, tmp_path, frames=0, repeats=1, backlog=0)
    with chromium() as browser:
        found = measured_devices(setup, browser, devices=30)
    assert found.keys() == {*STEPS, MEMORY} - {FIRST, PATH, ERRORS}
    assert all(value > 0 for values in found.values() for value in values)


@pytest.mark.broker
@pytest.mark.browser
@pytest.mark.aws
def test_the_demo(broker: Mosquitto, tmp_path: Path) -> None:
    """Of the demo all pages are measured, and none complains."""
    setup = Setup(broker, tmp_path, frames=0, repeats=1, backlog=0)
    with chromium() as browser:
        found = measured_demo(setup, browser)
    assert found.keys() == {*STEPS, MEMORY}
    assert all(value > 0 for values in found.values() for value in values)


def test_the_lines() -> None:
    """A line has the step, what it is to stay below, and what it took with each network."""

    def of(values: Sequence[float]) -> Times:
        return {step: [*values] for step in (*STEPS, MEMORY)}

    few = {SORT: [50.0]}
    lines = rows([of([10.0, 30.0, 20.0]), few])
    assert [SORT, "100", "20 (10-30)", "50"] in lines
    assert [PATH, "-", "20 (10-30)", "-"] in lines
    assert len(lines) == len(STEPS) + 1
