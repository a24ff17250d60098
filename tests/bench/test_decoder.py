"""The decoder's package is measured as an instance of Lambda would run it."""

from pathlib import Path

from bench.decoder import Instance, rows, section
from bench.report import Setup
from rig.mosquitto import Mosquitto


def test_the_section(broker: Mosquitto, tmp_path: Path) -> None:
    """New instances of the packed decoder start and decode, and the package has a size."""
    text = section(Setup(broker, tmp_path, frames=0, repeats=1, backlog=0))
    for figure in ("its first uplink", "a batch of 100, warm", "package, zipped, MB"):
        assert figure in text


def test_ratios_are_of_the_same_instance() -> None:
    """What an instance took is put beside one warm uplink of the same instance."""
    instances = [
        Instance(100.0, 2.0, 1.0, 50.0, 1.5, 2.5),
        Instance(300.0, 2.0, 2.0, 80.0, 3.0, 5.0),
    ]
    by_name = {name: ratio for name, ratio, _ in rows(instances)}
    assert by_name["a batch of 100, warm, ms"] == "45.0 (40.0-50.0)"
