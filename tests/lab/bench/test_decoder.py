"""The decoder's package is measured as an instance of Lambda would run it."""

from pathlib import Path

import pytest

from lab.bench.report import Setup
from lab.bench.sections.decoder import FIGURES, call_rows, rows, section
from lab.rig.mosquitto import Mosquitto


@pytest.mark.broker
def test_the_section(broker: Mosquitto, tmp_path: Path) -> None:
    """New instances of the packed decoder start and decode, and the package has a size."""
    text = section(Setup(broker, tmp_path, frames=0, repeats=1, backlog=0))
    figures = ("its first uplink", "a batch of 100, of a small codec", "package, zipped, MB")
    for figure in (*figures, "ratio to one thread"):
        assert figure in text


def test_ratios_are_of_the_same_instance() -> None:
    """What an instance took is put beside one uplink in a new engine, in the same instance."""
    instances = [
        dict.fromkeys(FIGURES, 50.0) | {"small_new": 1.0, "small_batch": 4.0},
        dict.fromkeys(FIGURES, 50.0) | {"small_new": 2.0, "small_batch": 10.0},
    ]
    by_name = {name: ratio for name, ratio, _ in rows(instances)}
    assert by_name["a batch of 100, of a small codec, ms"] == "4.5 (4.0-5.0)"


def test_threads_are_compared_in_the_same_instance() -> None:
    """How much more a call with several threads manages is of one instance, not of two."""
    first, second = call_rows([{"1": 2000.0, "10": 200.0}, {"1": 1000.0, "10": 200.0}])
    assert first == ["1", "1.0 (1.0-1.0)", "75 (50-100)", "1,500 (1,000-2,000)"]
    assert second == ["10", "7.5 (5.0-10.0)", "500 (500-500)", "200 (200-200)"]
