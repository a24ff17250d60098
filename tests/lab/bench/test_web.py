"""The pages are measured in Chromium, step by step."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.bench.report import Setup
from lab.bench.sections.web import MEMORY, NETWORKS, measured, rows
from lab.bench.web_session import SORT, STEPS, Times
from lab.rig.mosquitto import Mosquitto


@pytest.mark.broker
@pytest.mark.browser
def test_a_round(broker: Mosquitto, tmp_path: Path) -> None:
    """Each step is there and takes time, of a network of a few devices."""
    found = measured(Setup(broker, tmp_path, frames=0, repeats=1, backlog=0), devices=30)
    assert found.keys() == {*STEPS, MEMORY}
    assert all(value > 0 for values in found.values() for value in values)


def test_the_lines() -> None:
    """A line has the step, what it is to stay below, and what it took with each network."""

    def of(values: Sequence[float]) -> Times:
        return {step: [*values] for step in (*STEPS, MEMORY)}

    lines = rows([of([10.0, 30.0, 20.0]), of([50.0])])
    assert [SORT, "100", "20 (10-30)", "50"] in lines
    assert {len(line) for line in lines} == {2 + len(NETWORKS)}
