"""An operator sends downlinks through the real bridge, and is told what became of them."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.store.events import events
from console.store.history import uplinks
from contract.names import EventType
from lab.aws.cdk import PROJECT
from lab.aws.host import Host
from lab.rig.network_server import APPLICATION, NetworkServer, Taken, network_server
from lab.rig.running_bridge import LORA_BRIDGE, running_bridge
from lab.rig.spools import claimed
from lab.soak.site import wait_until
from tests.end_to_end.conftest import CONSUMER
from tests.end_to_end.test_following import running

pytestmark = pytest.mark.aws

_LIMIT = 30.0  # seconds
Answer = Callable[[NetworkServer, Taken], None]
CODEC = "function encodeDownlink({data}) { return {bytes: [data.interval / 60], fPort: 7}; }"


@pytest.fixture
def device(application: str) -> str:
    """Return a device of this test's own."""
    return f"{APPLICATION}/{application}"


@contextmanager
def network(
    host: Host, device: str, spool: dict[str, str], answer: Answer
) -> Iterator[NetworkServer]:
    """Run a bridge before a network server that has the device, and answers downlinks so."""
    config, port = host.configure("send.toml", spool)
    path = Path(spool['path = "spool.db"'].split('"')[1])
    servers: list[NetworkServer] = []
    with running_bridge(config) as bridge:
        bridge.says("ready for downlinks")
        with network_server(port, lambda taken: answer(servers[0], taken)) as server:
            servers.append(server)
            server.uplink(device=device.rpartition("/")[2])
            wait_until(lambda: claimed(path) > 0, _LIMIT, "the application to be claimed")
            yield server


def acknowledge(server: NetworkServer, taken: Taken) -> None:
    """Say that it was sent, and that the device has acknowledged it."""
    server.sent(taken)
    server.acknowledged(taken)


def only_sent(server: NetworkServer, taken: Taken) -> None:
    """Say that it was sent, and nothing of the device."""
    server.sent(taken)


def send(device: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``send``."""
    return subprocess.run(
        [*LORA_BRIDGE, "send", device, *arguments],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def states(said: str) -> list[str]:
    """Return the states in what ``send`` prints, each with its time and its milliseconds."""
    return re.findall(r"^20\S+Z +\+\d+ ms  (\w+)$", said, re.MULTILINE)


def test_a_confirmed_downlink(host: Host, table: str, device: str, spool: dict[str, str]) -> None:
    """Each state is shown once, and the exit status is 0 when the device has acknowledged it."""
    with network(host, device, spool, acknowledge) as server:
        done = send(device, "--port", "10", "010f", "--confirmed", "--wait", "30s")
    assert (done.stderr, done.returncode) == ("", 0)
    assert states(done.stdout) == ["accepted", "submitted", "sent", "acknowledged"]
    assert done.stdout.splitlines()[-1] == "acknowledged: the device has confirmed it"
    (taken,) = server.taken
    assert taken.content["confirmed"] is True
    assert taken.content["userdata"] == {"port": 10, "payload": "AQ8="}
    (request_id,) = re.findall(r"^id=(.+)$", done.stdout, re.MULTILINE)
    found = list(events(table, device, EventType.DOWNLINK))
    assert {each["id"] for each in found} == {request_id}
    assert [each["state"] for each in found] == states(done.stdout)[::-1]
    assert list(events(table, device, EventType.DOWNLINK, limit=1)) == found[:1]
    assert not list(events(table, device, EventType.JOIN))
    assert len(list(uplinks(table, device))) == 1
    script = [sys.executable, "docs/examples/device_events.py", device]
    ended = subprocess.run(script, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert ended.split()[1:] == [request_id, "acknowledged"]


def test_with_a_codec(host: Host, device: str, spool: dict[str, str], tmp_path: Path) -> None:
    """The codec's bytes go to the codec's port; unconfirmed it is good when it was sent."""
    codec = tmp_path / "sensor.js"
    codec.write_text(CODEC)
    command = ("--codec", str(codec), "--json", '{"interval":600}')
    with network(host, device, spool, only_sent) as server:
        done = send(device, *command, "--id", "a", "--wait", "30s")
        again = send(device, *command, "--id", "a", "--immediate")
    assert done.returncode == 0, done.stderr
    assert states(done.stdout) == ["accepted", "submitted", "sent"]
    assert done.stdout.splitlines()[-1].startswith("sent: a gateway was told to send it, which")
    assert (again.stdout, again.returncode) == ("id=a\n", 0)
    assert f"lora-bridge events {device} --type downlink" in again.stderr
    assert [taken.content["userdata"] for taken in server.taken] == [{"port": 7, "payload": "Cg=="}]


def test_one_that_comes_to_no_good_end(host: Host, device: str, spool: dict[str, str]) -> None:
    """The exit status is 1, and a line says how far it has come, also when time is up."""
    with network(host, device, spool, only_sent):
        open_still = send(device, "--port", "10", "01", "--confirmed", "--wait", "2s")
        held = ("--expires", "1s", "--wait", "30s")
        expired = send(device, "--port", "10", "01", "--confirmed", *held)
    assert states(open_still.stdout) == ["accepted", "submitted", "sent"]
    assert "no end in 2 s, it is sent: a gateway was told to send it" in open_still.stderr
    assert expired.stdout.splitlines()[-1].startswith("expired: it was not handed to a network")
    assert (open_still.returncode, expired.returncode) == (1, 1)


def test_nobody_takes_it(host: Host, application: str) -> None:
    """It says what may be missing."""
    del host  # deployed
    done = send(f"{application}/d", "--port", "10", "01", "--expires", "1m", "--wait", "1s")
    assert "no bridge has accepted it in 1 s: is one with [downlinks] running" in done.stderr
    assert done.returncode == 1


def test_events_follow(host: Host, device: str, spool: dict[str, str], tmp_path: Path) -> None:
    """--follow shows what is stored, and then each event as it comes; a type may be asked for."""
    where = ("--dir", str(host.folder), "--endpoint", "localhost", "--format", "csv")
    tls = ("--port", str(host.aws.mqtt_port), "--root-ca", str(host.aws.mqtt_ca))
    command = [*LORA_BRIDGE, "events", device, "--follow", "--name", CONSUMER, *where, *tls]
    mote = device.rpartition("/")[2]
    environment = host.aws.environment()
    with network(host, device, spool, acknowledge) as server:
        send(device, "--port", "10", "01", "--wait", "30s")
        with (
            running(tmp_path, "all", command, environment) as follower,
            running(tmp_path, "joins", [*command, "--type", "join"], environment) as joins,
        ):
            follower.until(lambda program: len(program.lines) >= 4)
            server.write(join={"appeui": APPLICATION, "moteeui": mote, "devnonce": 7})
            follower.until(lambda program: len(program.lines) >= 5)
            joins.until(lambda program: len(program.lines) >= 2)
            shown, (join,) = list(csv.DictReader(follower.lines)), csv.DictReader(joins.lines)
    assert [each["state"] for each in shown] == ["accepted", "submitted", "sent", ""]
    assert shown[-1] == join
    assert (join["device"], join["type"], join["fields"]) == (device, "join", '{"devnonce":7}')
    newest = host.lora_bridge("events", device, "--limit", "1", "--format", "csv")
    assert list(csv.DictReader(newest.splitlines())) == [join]
