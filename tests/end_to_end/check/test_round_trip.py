"""An uplink and a downlink that go the whole way, and where they may get stuck."""

import re
import socket
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from console.check.broker import session
from console.check.chain import State
from console.deployment import stack_outputs
from contract.deployment import UNNAMED
from contract.names import TABLE_OUTPUT
from lab.rig.chirpstack_broker import chirpstack_broker
from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.rig.servers import free_ports
from tests.end_to_end.check.chain import CLOUD, FILES, HOPS, NETWORK
from tests.end_to_end.checked import Configured, check

pytestmark = pytest.mark.aws

_WITHOUT = {"[downlinks]": "# [downlinks]"}


def test_a_round_trip(bridge: tuple[RunningBridge, Path]) -> None:
    """An uplink and a downlink go the whole way beside the running bridge, and leave nothing."""
    running, path = bridge
    checked = check(path, "--round-trip")
    assert checked.whole() == FILES + NETWORK + CLOUD + HOPS
    (table,) = stack_outputs(UNNAMED.store_stack, TABLE_OUTPUT)
    assert boto3.client("dynamodb").scan(TableName=table)["Count"] == 0
    assert "connection lost" not in running.log
    counts = running.stop()
    assert (counts["accepted"], counts["published"]) == (1, 1)


def test_a_round_trip_with_chirpstack_alone(config: Configured) -> None:
    """Where no network server connects, the test uplink goes by ChirpStack's broker."""
    with chirpstack_broker(config.folder) as broker:
        changes = {"[[listen]]": "[[chirpstack]]", "port = 6500": f"port = {broker.port}"}
        path = config(changes)
        with running_bridge(path) as running, closing(session(broker.settings, "site")) as site:
            running.says("ready: ")
            running.says("ready for downlinks")
            running.says("ready for events")
            site.connect()
            site.subscribe("application/+/device/+/command/+")  # as ChirpStack does
            checked = check(path, "--round-trip")
            counts = running.stop()
    links = ["broker", "session", "broker's losses", "commands"]  # devices are silent
    assert checked.whole() == ["configuration", *links, *FILES[1:], *NETWORK, *CLOUD, *HOPS]
    assert (counts["accepted"], counts["published"]) == (1, 1)
    (table,) = stack_outputs(UNNAMED.store_stack, TABLE_OUTPUT)
    assert boto3.client("dynamodb").scan(TableName=table)["Count"] == 0


def test_without_downlinks(config: Configured) -> None:
    """What the configuration does not ask for is not tried, with the reason, and breaks nothing."""
    path = config(_WITHOUT)
    with running_bridge(path) as running:
        running.says("ready: ")
        checked = check(path, "--round-trip")
    not_tried = [each for each in checked.findings if each.state is State.NOT_TRIED]
    links = ["requests", "downlink to AWS", "downlink to bridge", "downlink removed", "settings"]
    assert [each.link for each in not_tried] == links
    assert {each.detail for each in not_tried[:2]} == {
        "there is no [downlinks] in the configuration"
    }
    assert checked.status == 0


def test_a_bridge_that_takes_no_downlinks(config: Configured) -> None:
    """One that was not restarted since [downlinks] came into its configuration."""
    path = config(_WITHOUT)
    with running_bridge(path) as running:
        running.says("ready: ")
        asking = config.folder / "asking.toml"
        asking.write_text(path.read_text().replace("# [downlinks]", "[downlinks]"))
        checked = check(asking, "--round-trip")
    checked.breaks_at(
        "downlink to bridge", "none of its steps in .* after 10 s", "restart the bridge"
    )


def test_no_bridge(config: Configured) -> None:
    """A bridge that does not run."""
    check(config(), "--round-trip").breaks_at(
        "uplink to bridge", "127.0.0.1:\\d+: Connection refused", "lora-bridge run"
    )


def test_a_bridge_that_publishes_nothing(config: Configured) -> None:
    """Something else than a connected bridge takes the frames."""
    path = config()
    port = int(re.findall(r"^port = (\d+)", path.read_text(), re.MULTILINE)[0])
    with socket.create_server(("127.0.0.1", port), backlog=1):
        check(path, "--round-trip").breaks_at("uplink to bridge", "timed out", "see its log")


def test_a_bridge_that_is_not_connected(config: Configured) -> None:
    """A bridge that runs, and cannot reach AWS IoT."""
    path = config()
    (port,) = free_ports(1)
    away = config.folder / "away.toml"
    away.write_text(path.read_text().replace(config.endpoint_port, f"port = {port}"))
    with running_bridge(away) as running:
        running.says("listening")
        check(path, "--round-trip").breaks_at(
            "uplink to broker", "nothing on lora/check/network-host-1", "the bridge's log"
        )
