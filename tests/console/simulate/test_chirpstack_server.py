"""A simulated ChirpStack, a broker and a bridge understand each other."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.cli import cli
from console.simulate.chirpstack_connection import connected
from console.simulate.chirpstack_devices import Device
from console.simulate.chirpstack_server import ChirpStackPlayer, play
from console.simulate.frames import APPLICATION
from console.simulate.plan import Plan
from contract.downlinks import Request, build_request
from contract.errors import BridgeError
from lab.rig.chirpstack_broker import ChirpStackBroker, chirpstack_broker
from lab.rig.requests import sender
from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.soak.site import Settings, Site, site, wait_until
from tests.bridge.downlinks.test_way import Watch

pytestmark = pytest.mark.broker

DEVICE = Device(0)
LIMIT = 30.0  # seconds


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ChirpStackBroker]:
    """Run ChirpStack's broker."""
    (tmp_path / "chirpstack").mkdir()
    with chirpstack_broker(tmp_path / "chirpstack") as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, broker: ChirpStackBroker) -> Iterator[Site]:
    """Prepare what a bridge needs that reads from there."""
    settings: Settings = {
        "chirpstack": {"port": broker.port, "application_tag": "app_eui"},
        "downlinks": {"answers_within": 5},
    }
    with site(tmp_path, settings) as found:
        yield found


@pytest.fixture
def bridge(place: Site) -> Iterator[RunningBridge]:
    """Run a bridge that hears events and requests."""
    with running_bridge(place.config) as running:
        running.says("ready for events of ChirpStack")
        running.says("ready for downlinks")
        yield running


def test_every_uplink_arrives_once(
    place: Site, broker: ChirpStackBroker, bridge: RunningBridge
) -> None:
    """The command counts what the bridge publishes."""
    where = f"--chirpstack=127.0.0.1:{broker.port}"
    command = ["simulate", where, "--count=200", "--rate=400", "--devices=5"]
    done = CliRunner().invoke(cli, command)
    assert done.output == "sent=200 devices=5 downlinks=0 lost=0\n"
    place.wait_until(lambda: place.tally.total >= 200, LIMIT, "the uplinks")
    counts = bridge.stop()
    assert (counts["published"], counts["rejected"]) == (200, 0)


def test_a_confirmed_downlink_gets_there(
    place: Site, broker: ChirpStackBroker, bridge: RunningBridge
) -> None:
    """Asked for at the bridge, it is sent after an uplink and acknowledged with the next."""
    del bridge  # runs
    watch = Watch(place)
    with ExitStack() as stack:
        ask = stack.enter_context(sender(place.link.target, place.config.parent))
        connection = stack.enter_context(connected(broker.settings))
        player = ChirpStackPlayer(connection, devices=1)
        player.join()
        watch.until("join", of="join")
        ask(
            f"{APPLICATION}/{DEVICE.dev_eui}",
            build_request(Request("a", 10, b"\x01", confirmed=True)),
        )
        wait_until(lambda: took(player) == 1, LIMIT, "the command")
        for f_cnt in range(2):
            player.uplink(player.maker.up(DEVICE, f_cnt))
        events = watch.until("accepted", "submitted", "sent", "acknowledged")
    assert {each["source"] for each in events} == {"chirpstack"}
    (item,) = player.queues.items
    assert (item.dev_eui, item.port, item.data) == (DEVICE.dev_eui, 10, b"\x01")


def took(player: ChirpStackPlayer) -> int:
    """Return how many downlinks it has taken by now."""
    player.take()
    return player.queues.taken


def test_what_the_broker_has_not_acknowledged_is_published_again(broker: ChirpStackBroker) -> None:
    """When it is back; so a broker that was away costs nothing."""
    with connected(broker.settings) as connection:
        player = ChirpStackPlayer(connection, devices=1)
        broker.stop()
        for f_cnt in range(3):
            player.uplink(player.maker.up(DEVICE, f_cnt))
        assert connection.acknowledged["up"] == 0
        broker.start()
        connection.settle()
        assert connection.acknowledged["up"] == 3


def test_nobody_is_subscribed(broker: ChirpStackBroker) -> None:
    """Events that would reach nobody are one clear error."""
    with pytest.raises(BridgeError, match=r"nobody has subscribed .*: run the bridge first"):
        play(broker.settings, Plan(devices=2, rate=10, total=1), lambda _added: None)


def test_a_broker_that_lets_nothing_through(tmp_path: Path) -> None:
    """What its ACL refuses is one clear error."""
    (tmp_path / "acl").write_text("topic read #\n")
    with chirpstack_broker(tmp_path, {"acl_file": f"{tmp_path}/acl"}) as broker:
        command = ["simulate", f"--chirpstack=127.0.0.1:{broker.port}", "--count=1"]
        refused = CliRunner().invoke(cli, command).exception
    assert "event/join: NOT_AUTHORIZED (0x87)" in str(refused)


def test_a_broker_that_wants_a_password(tmp_path: Path) -> None:
    """With the user's it takes the simulation; without, the error names the options."""
    users = tmp_path / "users"
    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip("mosquitto_passwd is not installed")
    subprocess.run([program, "-c", "-b", users, "ns", "secret"], check=True, capture_output=True)
    (tmp_path / "password").write_text("secret\n")
    options = ["--username=ns", f"--password-file={tmp_path / 'password'}", "--count=1"]
    changes = {"allow_anonymous": "false", "password_file": str(users)}
    with chirpstack_broker(tmp_path, changes) as broker:
        command = ["simulate", f"--chirpstack=127.0.0.1:{broker.port}"]
        refused = CliRunner().invoke(cli, command).exception
        assert "check --username and --password-file" in str(refused)
        heard = CliRunner().invoke(cli, [*command, *options]).exception
        assert "nobody has subscribed" in str(heard)
