"""What the bridge says of itself over HTTP is what was sent to it, and what became of it."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.rig.servers import free_ports
from lab.soak.site import Site, site, wait_until
from tests.bridge.sources.semtech.frames import frame

pytestmark = pytest.mark.broker

_LIMIT = 60.0  # seconds
_FRAMES, _APPLICATIONS = 300, 120

Series = dict[tuple[str, ...], float]


@pytest.fixture
def http(tmp_path: Path) -> int:
    """Return a free port for health and metrics."""
    del tmp_path
    return free_ports(1)[0]


@pytest.fixture
def place(tmp_path: Path, http: int) -> Iterator[Site]:
    """Configure a bridge that serves them."""
    with site(tmp_path, {"http": {"port": http}, "aws": {"max_backoff": 1}}) as place:
        yield place


@pytest.fixture
def bridge(place: Site) -> Iterator[RunningBridge]:
    """Run it."""
    with running_bridge(place.config) as running:
        running.says("ready: ")
        yield running


def get(port: int, path: str) -> tuple[int, str]:
    """Return the status and text of a page."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def metrics(port: int) -> Series:
    """Return what Prometheus would read: name and label values → value."""
    _status, text = get(port, "/metrics")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def send(place: Site, *frames: bytes) -> None:
    """Send frames to the bridge."""
    with socket.create_connection(("127.0.0.1", place.port)) as connection:
        connection.sendall(b"".join(each + b"\0" for each in frames))


def test_metrics_are_what_was_sent(place: Site, bridge: RunningBridge, http: int) -> None:
    """Frames by outcome and reason, publishes, latencies, and what waits, are counted as sent."""
    del bridge  # it runs
    uplinks = [
        frame(appeui=f"a{number % _APPLICATIONS}", moteeui=f"d{number}")
        for number in range(_FRAMES)
    ]
    send(place, *uplinks, b"no JSON", b"neither", b'{"other": 1}')
    published = ("lora_bridge_publishes_total", "published")
    wait_until(lambda: metrics(http)[published] == _FRAMES, _LIMIT, "the publishes")
    wait_until(lambda: metrics(http)[("lora_bridge_spool_messages",)] == 0, _LIMIT, "the spool")
    found = metrics(http)
    name = "lora_bridge_frames_total"
    assert {key[1:]: value for key, value in found.items() if key[0] == name} == {
        ("accepted", ""): _FRAMES,
        ("noticed", ""): 0,
        ("ignored", ""): 1,
        ("rejected", "not JSON"): 2,
    }
    assert found["lora_bridge_publishes_total", "refused"] == 0
    assert found[("lora_bridge_puback_seconds_count",)] == _FRAMES
    assert found["lora_bridge_puback_seconds_bucket", "+Inf"] == _FRAMES
    assert 0 < found[("lora_bridge_puback_seconds_sum",)] < _LIMIT * _FRAMES
    assert found[("lora_bridge_spool_bytes",)] == 0
    assert found[("lora_bridge_spool_oldest_seconds",)] == 0
    assert found[("lora_bridge_connected",)] == 1
    assert found[("lora_bridge_reconnects_total",)] == 0
    assert found[("process_resident_memory_bytes",)] > 0


def test_series_have_a_bound(place: Site, bridge: RunningBridge, http: int) -> None:
    """Beyond the first hundred applications all others are one, and devices are none."""
    del bridge
    send(place, *(frame(appeui=f"a{n}", moteeui=f"secret{n}") for n in range(_APPLICATIONS)))
    accepted = ("lora_bridge_frames_total", "accepted", "")
    wait_until(lambda: metrics(http)[accepted] == _APPLICATIONS, _LIMIT, "the frames")
    name = "lora_bridge_last_uplink_timestamp_seconds"
    applications = {key[1] for key in metrics(http) if key[0] == name}
    assert applications == {f"a{number}" for number in range(100)} | {"(other)"}
    assert "secret" not in get(http, "/metrics")[1]


def test_an_outage_is_seen(place: Site, bridge: RunningBridge, http: int) -> None:
    """Ready turns to 503 with the reason, what waits is counted, and it is ready again after."""
    assert get(http, "/readyz") == (200, "ready\n")
    place.link.close()
    wait_until(lambda: get(http, "/readyz")[0] == 503, _LIMIT, "the outage to be seen")
    assert get(http, "/readyz") == (503, "not connected as soak\n")
    assert get(http, "/healthz") == (200, "alive\n")
    send(place, frame(moteeui="d1"), frame(moteeui="d2"))
    waits = ("lora_bridge_spool_messages",)
    wait_until(lambda: metrics(http)[waits] == 2, _LIMIT, "frames in the spool")
    found = metrics(http)
    assert found[("lora_bridge_spool_bytes",)] > 0
    assert found[("lora_bridge_spool_oldest_seconds",)] > 0
    assert found[("lora_bridge_connected",)] == 0
    place.link.open()
    wait_until(lambda: get(http, "/readyz")[0] == 200, _LIMIT, "the connection")
    wait_until(lambda: metrics(http)[waits] == 0, _LIMIT, "the spool to be empty")
    assert metrics(http)[("lora_bridge_reconnects_total",)] == 1
    bridge.stop()
