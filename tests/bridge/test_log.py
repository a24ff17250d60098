"""The log of a bridge that runs as its service does."""

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.rig.servers import free_ports
from lab.soak.site import Site, site, wait_until
from tests.bridge.sources.semtech.frames import frame

pytestmark = pytest.mark.broker

_LAST = "published: PUBACK"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """Configure a bridge."""
    with site(tmp_path) as place:
        yield place


def lines(bridge: RunningBridge) -> list[dict[str, str | int]]:
    """Return the objects of its log."""
    found = [json.loads(line) for line in bridge.log.splitlines()]
    assert all({"time", "level", "message"} <= fields.keys() for fields in found)
    return found


def send(place: Site, *frames: bytes) -> None:
    """Send frames to the bridge."""
    with socket.create_connection(("127.0.0.1", place.port)) as connection:
        connection.sendall(b"".join(each + b"\0" for each in frames))


def test_an_uplink_is_followed_at_debug_level(place: Site) -> None:
    """Its device and seqno are in a line for each step from the frame to the PUBACK."""
    with running_bridge(place.config, options=["--log-level", "debug"]) as bridge:
        bridge.says("ready: ")
        send(place, frame(moteeui="d1", seqno=7), frame(moteeui="d1", seqno=8))
        bridge.says(f"seqno=8: {_LAST}")
        found = lines(bridge)
        bridge.stop()
    for seqno in (7, 8):
        steps = [
            str(each["message"]).partition(f"seqno={seqno}: ")[2]
            for each in found
            if (each.get("device"), each.get("seqno")) == ("37817737f13/d1", seqno)
        ]
        assert steps[0].startswith('received: {"port1_bytes":[1,254]')
        assert steps[1:] == ["publishing as soak", "committed", _LAST]


def test_payloads_are_said_at_debug_level_only(place: Site) -> None:
    """The log of ordinary days has no payload, and nothing of the key."""
    with running_bridge(place.config, options=["--log-format", "json"]) as bridge:
        bridge.says("ready: ")
        send(place, frame(moteeui="d1"), frame(dir="down"))
        bridge.says("frame rejected: ")
        bridge.stop()
        assert {each["level"] for each in lines(bridge)} == {"info", "warning"}
        assert "payload" not in bridge.log
        assert "port1_bytes" not in bridge.log
        assert "d1" not in bridge.log
        assert "PRIVATE" not in bridge.log


def test_lines_for_people(place: Site) -> None:
    """On a terminal, or when asked for, a line is words."""
    with running_bridge(place.config, options=["--log-format", "human"]) as bridge:
        bridge.says(" INFO ready: connected")
        bridge.stop()


def test_a_log_that_nobody_reads_stops_nothing(place: Site) -> None:
    """Frames are published, health is answered and SIGTERM ends it, with standard error full."""
    (port,) = free_ports(1)
    config = place.config.read_text() + f"\n[http]\nport = {port}\n"
    place.config.write_text(config)
    command = [sys.executable, "-m", "console", "run", "--config", str(place.config)]
    with subprocess.Popen([*command, "--log-level", "debug"], stderr=subprocess.PIPE) as process:
        wait_until(lambda: answers(port), 20, "an answer")
        send(place, *(frame(seqno=number) for number in range(8000)))
        place.wait_until(lambda: place.tally.total >= 8000, 60, "deliveries")
        assert answers(port)
        process.terminate()
        assert process.wait(20) == 0


def answers(port: int) -> bool:
    """Say whether the bridge says that it is alive."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
