"""Enrolling for a ChirpStack writes a configuration for it, and says what its own files need."""

import re
import subprocess
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.config import ChirpStack, load, parse
from console.check import broker as beside
from console.cli import cli
from console.identity import enroll
from console.identity.bridge_toml import CHIRPSTACK
from console.identity.certificates import Deployed
from console.identity.chirpstack_files import CHIRPSTACK_TOML, MOSQUITTO_CONF
from contract.names import IdentityKind
from lab.rig.certificates import make_certificates
from lab.rig.chirpstack_broker import chirpstack_broker

_NAME = "client"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the key of a bridge whose certificate is deployed."""
    make_certificates(tmp_path)
    pem = (tmp_path / f"{_NAME}.pem").read_text()
    found = Deployed(IdentityKind.BRIDGE, {"id": pem})
    monkeypatch.setattr(enroll, "deployed", lambda _deployment, _name: found)
    return tmp_path


def enrolled(folder: Path, *options: str) -> str:
    """Run the command to its end; return what it printed."""
    arguments = ["enroll", "--name", _NAME, "--dir", str(folder), "--endpoint", "localhost"]
    done = CliRunner().invoke(cli, [*arguments, *options])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_new_configuration(folder: Path) -> None:
    """It has a ChirpStack and listens on no port, and each file's part is printed."""
    said = enrolled(folder, "--chirpstack")
    config = load(folder / "bridge.toml")
    assert config.chirpstack == (ChirpStack(),)
    assert config.listen == ()
    assert f"then restart ChirpStack:\n\n{CHIRPSTACK_TOML}" in said
    assert said.endswith(f"lora-bridge.conf; then restart Mosquitto:\n\n{MOSQUITTO_CONF}")
    assert CHIRPSTACK not in said


def test_a_configuration_that_is_there(folder: Path) -> None:
    """It is kept, and the table for it is printed."""
    (folder / "bridge.toml").write_text("# precious\n")
    said = enrolled(folder, "--chirpstack")
    assert (folder / "bridge.toml").read_text() == "# precious\n"
    assert "exists and was kept\n\nInto bridge.toml, if there is no such table" in said
    assert CHIRPSTACK in said
    assert "chirpstack" not in enrolled(folder)


def test_every_key_of_the_table(folder: Path) -> None:
    """Each key is there, as a comment with its default, or with an example where it has none."""
    enrolled(folder, "--chirpstack")
    text = (folder / "bridge.toml").read_text()
    uncommented = re.sub(r"^# (?=\w+ = )", "", text.partition("[aws]")[0], flags=re.MULTILINE)
    (found,) = parse(uncommented + "[aws]" + text.partition("[aws]")[2], folder / "x").chirpstack
    assert set(tomllib.loads(uncommented)["chirpstack"][0]) == set(ChirpStack.__struct_fields__)
    for name in ("host", "port", "event_topic", "command_topic", "session_expiry"):
        assert getattr(found, name) == getattr(ChirpStack(), name)


def test_chirpstacks_part() -> None:
    """It is TOML, with the keys of ChirpStack's [integration.mqtt]."""
    assert tomllib.loads(CHIRPSTACK_TOML)["integration"]["mqtt"] == {
        "qos": 1,
        "json": True,
        "client_id": "chirpstack",
        "clean_session": False,
        "session_expiry_interval": "1h",
    }


@pytest.mark.broker
def test_mosquittos_part(tmp_path: Path) -> None:
    """With it, a broker that is killed has lost no session, and little of what waited."""
    lines = [each for each in MOSQUITTO_CONF.splitlines() if not each.startswith("#")]
    changes = {name: value for name, _, value in (each.partition(" ") for each in lines)}
    with chirpstack_broker(tmp_path, changes) as broker:
        with closing(beside.session(broker.settings, "bridge", 3600)) as bridge:
            bridge.connect()
            bridge.subscribe("event")
        events = "".join(f"{number}\n" for number in range(2000)).encode()
        publish = ["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", "event", "-l"]
        subprocess.run(publish, input=events, check=True)
        broker.kill()
        broker.start()
        with closing(beside.session(broker.settings, "bridge", 3600)) as bridge:
            bridge.connect()
            assert bridge.granted.kept
            came = [bridge.received(10) for _ in range(1900)]
    assert [int(each.payload) for each in came if each] == list(range(1900))
