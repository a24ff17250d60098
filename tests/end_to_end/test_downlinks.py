"""From a sender's request to the network server, and back to rows that tell each step."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.store.history import uplinks
from contract.deployment import UNNAMED
from contract.downlinks import Request, build_request
from contract.names import OF_THE_DECODER, event_partition
from contract.rows import Row
from lab.aws.consumer import Client, connect
from lab.aws.host import Host
from lab.rig.network_server import APPLICATION, NetworkServer, network_server
from lab.rig.running_bridge import running_bridge
from lab.rig.spools import claimed
from lab.soak.site import wait_until
from tests.end_to_end.conftest import SENDER
from tests.end_to_end.traffic import wait_for_rows

pytestmark = pytest.mark.aws

_LIMIT = 30.0  # seconds


@pytest.fixture
def device(application: str) -> str:
    """Return a device of the sender's application, of this test's own."""
    return f"{APPLICATION}/{application}"


@pytest.fixture
def sender(host: Host) -> Iterator[Client]:
    """Connect the consumer that may ask for downlinks."""
    with connect(host, SENDER, SENDER) as client:
        assert client.session.connected
        yield client


@contextmanager
def at_work(config: Path, port: int, spool: Path, device: str) -> Iterator[NetworkServer]:
    """Run the bridge that was enrolled, before a network server that has the device."""
    with running_bridge(config) as bridge:
        bridge.says("ready for downlinks")
        with network_server(port) as server:
            server.uplink(device=device.rpartition("/")[2])
            wait_until(lambda: claimed(spool) > 0, _LIMIT, "the application to be claimed")
            yield server


def ask(sender: Client, device: str, name: str) -> None:
    """Ask for a confirmed downlink."""
    request = Request(name, 10, b"\x01\x0f", confirmed=True)
    assert sender.publish(UNNAMED.request_topic(device), build_request(request)) == 0


def states(table: str, device: str, count: int) -> list[Row]:
    """Return the rows of a device's downlinks, oldest first, when there are so many."""
    partition = event_partition(device)
    wait_for_rows(table, count, partition)
    rows = [row for row in uplinks(table, partition) if row["type"] == "downlink"]
    return rows[::-1]


def test_each_step_of_a_downlink_is_a_row(
    host: Host, table: str, device: str, sender: Client, spool: dict[str, str], tmp_path: Path
) -> None:
    """The network server gets what the sender asked for, and every state is stored in order."""
    config, port = host.configure("downlinks.toml", spool)
    with at_work(config, port, tmp_path / "spool.db", device) as server:
        ask(sender, device, "a")
        (taken,) = server.has_taken(1)
        assert taken.content["userdata"] == {"port": 10, "payload": "AQ8="}
        server.sent(taken)
        server.acknowledged(taken)
        rows = states(table, device, 4)
    assert [row["state"] for row in rows] == ["accepted", "submitted", "sent", "acknowledged"]
    assert {row["id"] for row in rows} == {"a"}
    assert all(isinstance(row["expires"], int) for row in rows)


def test_what_is_asked_for_while_the_bridge_is_away_comes_later(
    host: Host, table: str, device: str, sender: Client, spool: dict[str, str], tmp_path: Path
) -> None:
    """AWS IoT keeps it in the bridge's session."""
    config, port = host.configure("away.toml", spool)
    with at_work(config, port, tmp_path / "spool.db", device):
        pass
    ask(sender, device, "a")
    with at_work(config, port, tmp_path / "spool.db", device) as server:
        server.has_taken(1)
        assert [row["state"] for row in states(table, device, 2)] == ["accepted", "submitted"]


def test_events_are_no_uplinks(
    host: Host, table: str, device: str, sender: Client, spool: dict[str, str], tmp_path: Path
) -> None:
    """History, the list of devices and the decoder see the device's uplinks alone."""
    config, port = host.configure("no-uplinks.toml", spool)
    mote = device.rpartition("/")[2]
    with at_work(config, port, tmp_path / "spool.db", device) as server:
        server.write(join={"appeui": APPLICATION, "moteeui": mote, "devnonce": 7})
        ask(sender, device, "a")
        server.has_taken(1)
        wait_for_rows(table, 3, event_partition(device))
        server.uplink(device=f"{mote}-last")  # what the decoder gets after those
        wait_until(lambda: f"{device}-last" in devices(host), _LIMIT, "the last device")
    assert device in devices(host)
    assert not [each for each in devices(host) if each.endswith("/event")]
    (row,) = json.loads(host.lora_bridge("history", device, "--format", "json"))
    assert row["port1_bytes"] == [1, 254]
    events = list(uplinks(table, event_partition(device)))
    assert {str(each["type"]) for each in events} == {"join", "downlink"}
    assert not [name for each in events for name in OF_THE_DECODER if name in each]


def devices(host: Host) -> list[str]:
    """Return the devices that are listed."""
    return [each["device"] for each in json.loads(host.lora_bridge("devices", "--format", "json"))]
