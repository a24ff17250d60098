"""The demo runs by ChirpStack, too, and what it prints for other terminals works."""

from pathlib import Path

import pytest

from tests.end_to_end.test_rehearsal import LIMIT, kept_demo

pytestmark = [pytest.mark.aws, pytest.mark.broker]


def test_the_demo_by_chirpstack(tmp_path: Path) -> None:
    """All counts agree, an event that one publishes is decoded, and a downlink is acknowledged."""
    output = tmp_path / "output"
    with kept_demo(output, "mosquitto_pub", "--source", "chirpstack") as demo:
        sent = "sent=10 devices=10 downlinks=0 lost=0\n"
        assert demo.run(demo.command("simulate"), tmp_path / "simulation") == sent
        endless = demo.command("simulate").partition(" --count")[0]
        simulation = demo.start(f"exec {endless} --devices 1 --rate 2", tmp_path / "endless")
        try:
            said = demo.run(demo.command("--confirmed"), tmp_path / "send")
        finally:
            simulation.terminate()
            simulation.wait(LIMIT)
        assert "acknowledged: the device has confirmed it" in said
        assert "acknowledged" in demo.run(demo.command("events"), tmp_path / "events")
    counts = "sent=1000 published=1000 stored=1000 decoded=1000 lost=0 duplicates=0"
    assert f"{counts} downlinks=1 acknowledged=1\n" in output.read_text()
