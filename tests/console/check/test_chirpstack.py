"""Each way to break the path from ChirpStack's broker is found, on a real broker, with a remedy."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import pytest

from bridge.mqtt.broker import broker_client
from bridge.mqtt.client import Callbacks
from console.check import broker as links_of_broker
from console.check import chirpstack
from console.check.chain import State
from lab.rig.certificates import make_certificates
from lab.rig.chirpstack_broker import ChirpStackBroker, chirpstack_broker
from lab.rig.scripted_broker import CONNACK, ScriptedBroker
from lab.rig.servers import free_ports
from tests.console.check.chirpstack_site import (
    APPLICATION_ID,
    BRIDGE,
    DEV_EUI,
    breaks_at,
    checked,
    configured,
    listening,
    publishing,
    up,
    users,
    whole,
)

pytestmark = pytest.mark.broker

_LINKS = ["broker", "session", "broker's losses", "commands", "events"]
_LIMIT = 10.0  # seconds
_MAY = """\
user bridge
topic read application/+/device/+/event/+
topic write application/+/device/+/command/down
"""
_USER = 'username = "bridge"\npassword_file = "right.password"'


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChirpStackBroker]:
    """Run a broker that lets everybody in."""
    with chirpstack_broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


def test_a_whole_server(broker: ChirpStackBroker, tmp_path: Path) -> None:
    """Nothing is broken where ChirpStack listens, and its events come at QoS 1."""
    with listening(broker), publishing(broker, up()):
        findings = checked(configured(tmp_path, f"port = {broker.port}"))
    assert whole(findings) == _LINKS
    told = {each.link: each.detail for each in findings}
    assert told["broker"] == (f"connected as lora-bridge.{BRIDGE}.check to 127.0.0.1:{broker.port}")
    assert told["session"] == "kept for 604800 s"
    assert told["broker's losses"].startswith("mosquitto version ")
    assert told["events"] == f"one of {APPLICATION_ID}/{DEV_EUI} came at QoS 1"


def test_several_servers(broker: ChirpStackBroker, tmp_path: Path) -> None:
    """Of several, the links name the one that they are about."""
    (closed,) = free_ports(1)
    with publishing(broker, up()):
        findings = checked(
            configured(tmp_path, f"port = {broker.port}", f"port = {closed}", downlinks=False)
        )
    address = f"127.0.0.1:{broker.port}"
    assert whole(findings) == [f"{each} {address}" for each in _LINKS if each != "commands"]
    assert findings[-1].link == f"broker 127.0.0.1:{closed}"
    assert findings[-1].state is State.BROKEN


def test_the_bridge_is_not_disturbed(broker: ChirpStackBroker, tmp_path: Path) -> None:
    """The bridge keeps its connection, and the broker keeps no session of the check."""
    config = configured(tmp_path, f"port = {broker.port}")
    connected, lost = Event(), Event()
    callbacks = Callbacks(connected=connected.set, lost=lambda _reason: lost.set())
    client = broker_client(broker.settings, f"lora-bridge.{BRIDGE}", callbacks, 60)
    client.start()
    assert connected.wait(_LIMIT)
    with listening(broker), publishing(broker, up()):
        assert whole(checked(config)) == _LINKS
    assert not lost.is_set()
    client.stop()
    again = links_of_broker.session(broker.settings, f"lora-bridge.{BRIDGE}", 60)
    with closing(again):
        again.connect()
        assert not again.granted.kept


# The broker


def test_no_broker(tmp_path: Path) -> None:
    """A port at which nobody listens."""
    (port,) = free_ports(1)
    findings = checked(configured(tmp_path, f"port = {port}"))
    breaks_at(findings, "broker", "Connection refused", "start the broker")


def test_a_broker_that_none_can_name(tmp_path: Path) -> None:
    """A host that no name server knows."""
    findings = checked(configured(tmp_path, 'host = "nowhere.invalid"'))
    breaks_at(findings, "broker", "nowhere.invalid", "check host")


def test_users(tmp_path: Path) -> None:
    """A user who may do what a bridge needs, and no more, finds nothing broken."""
    with (
        chirpstack_broker(tmp_path, users(tmp_path, f"{_MAY}user chirpstack\ntopic #\n")) as broker,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(links_of_broker, "_PATIENCE", 0.2)
        patch.setattr(chirpstack, "_PATIENCE", 0.2)
        wrong = checked(
            configured(
                tmp_path,
                f'port = {broker.port}\nusername = "bridge"\npassword_file = "wrong.password"',
            )
        )
        none = checked(configured(tmp_path, f"port = {broker.port}"))
        right = checked(configured(tmp_path, f"port = {broker.port}\n{_USER}", downlinks=False))
    breaks_at(wrong, "broker", "refused as .*NOT_AUTHORIZED", "password_file")
    breaks_at(none, "broker", "refused as .*NOT_AUTHORIZED", "username")
    assert whole(right) == ["broker", "session"]
    assert {each.state for each in right[2:]} == {State.NOT_TRIED}
    assert "tells nothing on $SYS/broker/version" in right[2].detail


def test_no_password(broker: ChirpStackBroker, tmp_path: Path) -> None:
    """A password file that is not there."""
    server = f'port = {broker.port}\nusername = "bridge"\npassword_file = "none.password"'
    findings = checked(configured(tmp_path, server))
    breaks_at(findings, "broker", "none.password: no such file", "mend it")


def test_tls(tmp_path: Path) -> None:
    """A broker that is who it says, and one that another CA has signed."""
    make_certificates(tmp_path)
    (tmp_path / "other").mkdir()
    make_certificates(tmp_path / "other")
    changes = {
        "certfile": f"{tmp_path}/server.pem",
        "keyfile": f"{tmp_path}/server.key",
        "cafile": f"{tmp_path}/ca.pem",
        "require_certificate": "true",
    }
    pair = 'certificate = "client.pem"\nprivate_key = "client.key"'
    with chirpstack_broker(tmp_path, changes) as broker:
        server = f'host = "localhost"\nport = {broker.port}\n{pair}\n'
        right = checked(configured(tmp_path, f'{server}ca = "ca.pem"'))
        wrong = checked(configured(tmp_path, f'{server}ca = "other/ca.pem"'))
        none = checked(configured(tmp_path, f"port = {broker.port}"))
    assert right[0].state is State.WHOLE
    assert "localhost is who it says" in right[0].detail
    breaks_at(wrong, "broker", "self.signed", "did not sign it: check ca")
    breaks_at(none, "broker", "refused as", "TLS where the configuration names")


# What the broker keeps


@pytest.mark.parametrize(
    ("connack", "words", "remedy"),
    [
        (CONNACK, "gone after a moment", "let the broker keep sessions"),
        (
            bytes([0x20, 8, 1, 0, 5, 17, 0, 0, 14, 16]),
            "kept for 3600 s, not for session_expiry = 604800",
            "set session_expiry",
        ),
    ],
    ids=["none", "an hour"],
)
def test_a_session_that_ends_too_soon(
    tmp_path: Path, connack: bytes, words: str, remedy: str
) -> None:
    """A broker that keeps no session, or one for less than it is asked for."""
    with scripted(tmp_path, lambda number: connack if number in {1, 2} else CONNACK) as running:
        findings = checked(configured(tmp_path, running[1]))
    breaks_at(findings, "session", words, remedy)


@pytest.mark.parametrize(
    ("version", "dropped", "said"),
    [
        ("2.0.15", "0", "per_listener_settings true it forgets sessions: 2.0.19 does not; 0 mess"),
        ("2.0.19", "7", "^mosquitto version 2.0.19; 7 .* dropped .*: raise max_queued_messages"),
    ],
)
def test_what_the_broker_tells(tmp_path: Path, version: str, dropped: str, said: str) -> None:
    """A version that may lose sessions is named, and so is what was dropped."""
    with scripted(tmp_path, lambda _number: CONNACK) as (broker, server):
        (settings,) = configured(tmp_path, server).chirpstack
        with closing(links_of_broker.session(settings, BRIDGE)) as session:
            session.connect()
            session.subscribe("any")  # then it may be delivered to
            broker.deliver(0, "$SYS/broker/version", f"mosquitto version {version}".encode())
            broker.deliver(0, "$SYS/broker/publish/messages/dropped", dropped.encode())
            assert re.search(said, links_of_broker.tells(session))


@contextmanager
def scripted(folder: Path, connack: Callable[[int], bytes]) -> Iterator[tuple[ScriptedBroker, str]]:
    """Run a broker that answers so; yield it, and the table of the configuration for it."""
    make_certificates(folder)
    broker = ScriptedBroker(folder, lambda _connection, _payload: 0, connack=connack)
    with broker.in_thread() as port:
        files = 'ca = "ca.pem"\ncertificate = "client.pem"\nprivate_key = "client.key"'
        yield broker, f'host = "localhost"\nport = {port}\n{files}'


# Commands


def test_nobody_listens(broker: ChirpStackBroker, tmp_path: Path) -> None:
    """Commands to which nobody has subscribed."""
    findings = checked(configured(tmp_path, f"port = {broker.port}"))
    breaks_at(findings, "commands", "nobody listens on application/0", "command_topic")


def test_the_command_does_nothing(broker: ChirpStackBroker, tmp_path: Path) -> None:
    """What is published as a command names no device, and goes to one that there is not."""
    with listening(broker) as came, publishing(broker, up()):
        checked(configured(tmp_path, f"port = {broker.port}"))
    nobody = "application/00000000-0000-0000-0000-000000000000/device/0000000000000000"
    assert came == [(f"{nobody}/command/down", b"{}")]


def test_commands_that_are_not_allowed(tmp_path: Path) -> None:
    """An ACL that lets the bridge only read."""
    only_reads = "user bridge\ntopic read #\ntopic read $SYS/#\n"
    with chirpstack_broker(tmp_path, users(tmp_path, only_reads)) as broker:
        server = f'port = {broker.port}\n{_USER}\napplications = {{"{APPLICATION_ID}" = "a"}}'
        findings = checked(configured(tmp_path, server))
    breaks_at(findings, "commands", f"{APPLICATION_ID}/.*: NOT_AUTHORIZED", "ACL allow")


# Events


@pytest.mark.parametrize(
    ("payload", "qos", "words", "remedy"),
    [
        (up(), 0, "they come at QoS 0", "set qos = 1"),
        (b"\n\x24" + up(), 0, "protobuf, not JSON", "set json = true"),
        (b'{"applicationID":"7","devEUI":"AQ=="}', 1, "ChirpStack v3", "only ChirpStack v4"),
        (up().replace(DEV_EUI.encode(), b"other"), 1, "deviceInfo differ", "rejected list"),
    ],
    ids=["QoS 0", "protobuf", "v3", "other device"],
)
def test_events_that_do_not_do(
    broker: ChirpStackBroker, tmp_path: Path, payload: bytes, qos: int, words: str, remedy: str
) -> None:
    """Events that the bridge may lose, and such as it rejects."""
    with publishing(broker, payload, qos):
        findings = checked(configured(tmp_path, f"port = {broker.port}", downlinks=False))
    breaks_at(findings, "events", words, remedy)


def test_silence(broker: ChirpStackBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no event comes there is nothing to judge: what was retained is none."""
    monkeypatch.setattr(chirpstack, "_PATIENCE", 0.2)
    publish = ["mosquitto_pub", "-p", str(broker.port), "-t", "other/a/b/event/up", "-r"]
    subprocess.run([*publish, "-m", "old"], check=True)
    server = (
        f'port = {broker.port}\nevent_topic = "other/{{{{application_id}}}}/b/event/{{{{event}}}}"'
    )
    findings = checked(configured(tmp_path, server, downlinks=False))
    assert findings[-1].state is State.NOT_TRIED
    assert "none on other/+/b/event/+ in 0 s" in findings[-1].detail
