"""Whatever breaks on the way, what was committed arrives."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from console.store.history import uplinks
from lab.aws.consumer import connect
from lab.aws.host import Host
from lab.rig.errors import RigError
from lab.rig.link import Proxy
from lab.rig.running_bridge import running_bridge
from lab.rig.servers import free_ports
from lab.rig.spools import waiting
from tests.end_to_end.conftest import BRIDGE, CONSUMER
from tests.end_to_end.traffic import numbered, send, wait_for_rows

pytestmark = pytest.mark.aws


def stream(application: str, devices: int, seqnos: range) -> bytes:
    """Return the frames of several devices, one seqno after the other."""
    return b"".join(frame for seqno in seqnos for frame in numbered(application, devices, seqno))


@pytest.fixture
def proxy(host: Host) -> Iterator[Proxy]:
    """Make a link to the broker that is down at first."""
    proxy = Proxy(free_ports(1)[0], host.aws.mqtt_port)
    yield proxy
    proxy.close()


@pytest.fixture
def through(proxy: Proxy, host: Host, spool: dict[str, str]) -> dict[str, str]:
    """Return the changes for a bridge with a spool of its own, behind the proxy."""
    return {**spool, f"port = {host.aws.mqtt_port}": f"port = {proxy.port}"}


def wait_for_commit(spool: Path, count: int) -> None:
    """Wait until ``count`` messages are in the spool."""
    deadline = time.monotonic() + 10
    while waiting(spool) != count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_sigkill_and_restart(  # fixtures
    host: Host,
    table: str,
    application: str,
    proxy: Proxy,
    through: dict[str, str],
    tmp_path: Path,
) -> None:
    """Frames committed before a SIGKILL arrive after a restart, each device's in order."""
    config, port = host.configure("killed.toml", through)
    with running_bridge(config) as bridge:
        bridge.says("no connection to localhost")
        send(port, stream(application, 5, range(40)))
        wait_for_commit(tmp_path / "spool.db", 200)
        bridge.process.kill()
        bridge.process.wait()
    proxy.open()
    with connect(host, CONSUMER, CONSUMER) as consumer:
        assert consumer.subscribe(f"lora/{application}/+") == 1
        with running_bridge(config) as bridge:
            received = consumer.session.wait_for(200)
            assert bridge.stop()["left"] == 0
    for device in range(5):
        own = [
            json.loads(data)["seqno"] for topic, data in received if topic.endswith(f"/{device}")
        ]
        assert own == list(range(40))
        wait_for_rows(table, 40, device=f"{application}/{device}")


def test_link_lost_and_back(
    host: Host, table: str, application: str, proxy: Proxy, through: dict[str, str]
) -> None:
    """Frames that come while the link is down are published when it is back."""
    proxy.open()
    config, port = host.configure("link.toml", through)
    with running_bridge(config) as bridge:
        bridge.says("ready: ")
        send(port, stream(application, 2, range(10)))
        proxy.close()
        bridge.says("no connection to localhost")
        send(port, stream(application, 2, range(10, 60)))
        proxy.open()
        for device in range(2):
            wait_for_rows(table, 60, device=f"{application}/{device}")
        counts = bridge.stop()
    assert (counts["accepted"], counts["published"], counts["left"]) == (120, 120, 0)


def test_full_spool_stops_reading_and_drops_nothing(
    host: Host, table: str, application: str, proxy: Proxy, through: dict[str, str]
) -> None:
    """At max_bytes the network server has to wait; with the link back, everything arrives."""
    small = {"max_bytes = 1073741824": "max_bytes = 50000"}
    config, port = host.configure("full.toml", through | small)
    frames = stream(application, 3, range(100)) + b"\0" * 20_000_000  # more than sockets hold
    with running_bridge(config) as bridge:
        bridge.says("no connection to localhost")
        sending = threading.Thread(target=send, args=(port, frames))
        sending.start()
        bridge.says("spool: full")
        sending.join(timeout=0.5)
        assert sending.is_alive()
        proxy.open()
        sending.join()
        for device in range(3):
            wait_for_rows(table, 100, device=f"{application}/{device}")
        assert bridge.stop()["left"] == 0


def test_stop_without_a_link_says_what_is_left(
    host: Host, application: str, through: dict[str, str]
) -> None:
    """A bridge that cannot publish stops within its limit, and says what it keeps."""
    config, port = host.configure("left.toml", through)
    with running_bridge(config) as bridge:
        bridge.says("listening on")
        send(port, stream(application, 1, range(7)))
        counts = bridge.stop()
        assert bridge.process.returncode == 0
    assert (counts["accepted"], counts["published"], counts["left"]) == (7, 0, 7)


@contextmanager
def publish_allowed_on(pattern: str) -> Iterator[None]:
    """Let the bridge's policy allow publishing on ``pattern`` only."""
    iot = boto3.client("iot")
    principal = iot.list_thing_principals(thingName=BRIDGE)["principals"][0]
    attached = [
        each["policyName"] for each in iot.list_attached_policies(target=principal)["policies"]
    ]
    documents = {name: iot.get_policy(policyName=name)["policyDocument"] for name in attached}
    ((name, document),) = (each for each in documents.items() if ':topic/lora/*/*"' in each[1])
    narrow = document.replace(':topic/lora/*/*"', f':topic/{pattern}"')
    version = iot.create_policy_version(policyName=name, policyDocument=narrow, setAsDefault=True)[
        "policyVersionId"
    ]
    try:
        yield
    finally:
        iot.set_default_policy_version(policyName=name, policyVersionId="1")
        iot.delete_policy_version(policyName=name, policyVersionId=version)


def test_refused_publishes_are_kept_and_do_not_block(
    host: Host, table: str, application: str, spool: dict[str, str]
) -> None:
    """What the policy refuses stays in the spool, said once; what it allows goes on."""
    config, port = host.configure("refused.toml", spool)
    refused, allowed = f"{application}.refused", f"{application}.allowed"
    both = b"".join(stream(each, 1, range(20)) for each in (refused, allowed))
    with publish_allowed_on(f"lora/{allowed}/*"), running_bridge(config) as bridge:
        bridge.says("ready: ")
        send(port, both)
        wait_for_rows(table, 20, device=f"{allowed}/0")
        counts = bridge.stop()
        assert (counts["published"], counts["refused"], counts["left"]) == (20, 20, 20)
        assert bridge.log.count("refused: NOT_AUTHORIZED (0x87)") == 1
        assert f"publish to lora/{refused}/0 as {BRIDGE} refused" in bridge.log
        assert "check the policy" in bridge.log
    assert list(uplinks(table, f"{refused}/0")) == []
    with running_bridge(config) as bridge:  # the policy is as it was
        wait_for_rows(table, 20, device=f"{refused}/0")
        assert bridge.stop()["left"] == 0


def test_bad_input_beside_good(
    host: Host, table: str, application: str, spool: dict[str, str]
) -> None:
    """Garbage on one connection stops neither the bridge nor the good frames beside it."""
    config, port = host.configure("garbage.toml", spool)
    garbage = [b"\xff", b"[" * 60_000, b"x" * 200_000, b"[]", b"{}", b'{"app":{"dir":"dn"}}']
    good = numbered(application, 1, 1) + numbered(application, 1, 2)
    with running_bridge(config) as bridge:
        bridge.says("ready: ")
        send(
            port, good[0] + b"".join(each + b"\0" for each in garbage) + good[1] + b'{"mote":{}}\0'
        )
        counts = bridge.stop()
    assert (counts["accepted"], counts["rejected"], counts["ignored"]) == (2, 6, 1)
    assert "nested too deep" in bridge.log
    wait_for_rows(table, 2, device=f"{application}/0")


def test_several_connections_share_the_devices(
    host: Host, table: str, application: str, spool: dict[str, str]
) -> None:
    """With `connections = 3` there are three numbered clients, and every frame arrives once."""
    several = {"connections = 1 ": "connections = 3 "}
    config, port = host.configure("several.toml", spool | several)
    with running_bridge(config) as bridge:
        bridge.says("ready: ")
        send(port, stream(application, 12, range(10)))
        counts = bridge.stop()
    names = re.findall(r"connected to \S+ as ([\w.-]+)", bridge.log)
    assert sorted(names) == [BRIDGE, f"{BRIDGE}.2", f"{BRIDGE}.3"]
    assert (counts["published"], counts["left"]) == (120, 0)
    for device in range(12):
        wait_for_rows(table, 10, device=f"{application}/{device:x}")


def test_a_second_bridge_on_the_same_spool_or_port(host: Host, spool: dict[str, str]) -> None:
    """A second bridge by mistake ends with one line, and the first goes on."""
    config, port = host.configure("first.toml", spool)
    with running_bridge(config) as bridge:
        bridge.says("ready: ")
        with pytest.raises(RigError, match="the spool is in use by another lora-bridge"):
            host.lora_bridge("run", "--config", str(config))
        other, _ = host.configure("second.toml", {})
        other.write_text(re.sub(r"port = \d+", f"port = {port}", other.read_text(), count=1))
        with pytest.raises(RigError, match=rf"cannot listen on 127\.0\.0\.1:{port}: "):
            host.lora_bridge("run", "--config", str(other))
        with socket.create_connection(("127.0.0.1", port)):
            assert bridge.process.poll() is None
