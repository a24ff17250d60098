"""Two deployments beside each other, whose bridges and consumers have the same names."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from console.store.history import table_name
from contract.deployment import Deployment
from lab.aws.cdk import deploy, write_settings
from lab.aws.consumer import connect
from lab.aws.host import Host
from lab.aws.stored import stored_uplinks
from lab.rig.errors import RigError
from lab.rig.running_bridge import LORA_BRIDGE, running_bridge
from tests.end_to_end.checked import check
from tests.end_to_end.conftest import BRIDGE, CONSUMER
from tests.end_to_end.test_decoder import decoded_row, frame
from tests.end_to_end.traffic import numbered, send, wait_for_rows

pytestmark = pytest.mark.aws

STAGING = Deployment("staging")
_REFUSED = 128  # reason codes from here on


@pytest.fixture(scope="module")
def staging(
    host: Host, context: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> Host:
    """Deploy another beside the one that is there, and enroll everyone, as its operator does."""
    other = Host(host.aws, tmp_path_factory.mktemp("staging"), STAGING)
    changed = {
        "deployment": STAGING.name,
        "bridges": {BRIDGE: str(other.keygen(BRIDGE))},
        "consumers": {CONSUMER: str(other.keygen(CONSUMER))},
        "basic_ingest": [],
        "senders": {},
    }
    settings = write_settings(other.folder, context | changed)
    deploy(os.environ, other.folder / "cdk.out", settings)
    other.enroll(BRIDGE)
    other.enroll(CONSUMER)
    return other


def test_each_stores_and_shows_its_own(
    host: Host, staging: Host, table: str, application: str, tmp_path: Path
) -> None:
    """Uplinks of one device to both are in two tables, and each command sees those of its own."""
    tables = {host: table, staging: table_name(STAGING)}
    assert tables[host] != tables[staging]
    counts = {host: 3, staging: 5}
    configs = {}
    for each, count in counts.items():
        spool = {'path = "spool.db"': f'path = "{tmp_path}/{each.deployment.name}.db"'}
        configs[each], port = each.configure("beside.toml", spool)
        with running_bridge(configs[each]) as bridge:
            bridge.says("ready: ")
            for seqno in range(count):
                send(port, b"".join(numbered(application, 1, seqno)))
            wait_for_rows(tables[each], count, device=f"{application}/0")
            found = check(configs[each], "--round-trip")
            assert found.status == 0, found.findings
            assert found.whole()[-1] == "downlink removed"
            assert bridge.stop()["published"] == count + 1
    for each, count in counts.items():
        stored = [seqno for device, seqno in stored_uplinks(tables[each]) if application in device]
        assert sorted(seqno for seqno in stored if seqno is not None) == list(range(count))
        history = each.lora_bridge("history", f"{application}/0", "--format", "csv")
        assert len(history.splitlines()) == count + 1
        devices = each.lora_bridge("devices", "--application", application, "--since", "1d")
        assert f" {count} " in devices.splitlines()[1]


def test_readings_of_each_come_to_its_own_consumers(
    host: Host, staging: Host, application: str, spool: dict[str, str]
) -> None:
    """The decoder publishes below its deployment's root, where ``history --follow`` listens."""
    device = f"{application}/f"
    config, port = staging.configure("live.toml", spool)
    command = [*LORA_BRIDGE, "history", device, "--follow", "--name", CONSUMER]
    command += ["--deployment", STAGING.name, "--dir", str(staging.folder), "--format", "csv"]
    command += ["--endpoint", "localhost", "--port", str(staging.aws.mqtt_port)]
    command += ["--root-ca", str(staging.aws.mqtt_ca), "--fields", "first"]
    with connect(host, CONSUMER, CONSUMER) as other, running_bridge(config) as bridge:
        bridge.says("ready: ")
        assert other.subscribe("lora/#") == 1
        send(port, frame(application, "f", 101, b"\x0a"))
        decoded_row(table_name(STAGING), device)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as following:
            assert following.stdout is not None
            assert following.stdout.readline().strip().endswith(",first")
            stored = following.stdout.readline()
            send(port, frame(application, "f", 101, b"\x14"))
            live = following.stdout.readline()
            following.send_signal(signal.SIGINT)
            following.wait()
        assert stored.strip().endswith(",1")
        assert live.strip().endswith(",2")
        assert other.session.received == []


def test_an_option_says_which(host: Host, staging: Host) -> None:
    """``--deployment`` counts more than the environment, and a wrong one is told."""
    ours = host.lora_bridge("devices", "--deployment", STAGING.name)
    assert ours == staging.lora_bridge("devices")
    with pytest.raises(RigError, match=r"no stack Lora-nowhere-Store in region .*LORA_DEPLOYMENT"):
        host.lora_bridge("devices", "--deployment", "nowhere")


def test_nobody_reaches_into_the_other(host: Host, staging: Host, application: str) -> None:
    """With the certificate of one, AWS IoT refuses the names and the topics of the other."""
    theirs = {host: staging, staging: host}
    for each, other in theirs.items():
        with connect(each, BRIDGE, each.deployment.thing(BRIDGE)) as bridge:
            assert bridge.session.connected
            topic = other.deployment.uplink_topic(f"{application}/d")
            assert bridge.publish(topic, b"{}") >= _REFUSED
        with connect(each, CONSUMER, each.deployment.thing(CONSUMER)) as consumer:
            assert consumer.subscribe(f"{each.deployment.topic_root}/#") == 1
            assert consumer.subscribe(f"{other.deployment.topic_root}/#") >= _REFUSED
        with connect(each, BRIDGE, other.deployment.thing(BRIDGE)) as impostor:
            assert not impostor.session.connected
