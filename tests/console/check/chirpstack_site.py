"""A ChirpStack server as its broker shows it, and what ``check`` says of it."""

import json
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from bridge.config import Config, parse
from bridge.mqtt.broker import broker_client
from bridge.mqtt.client import Callbacks
from console.check import chirpstack
from console.check.chain import Finding, State, line, walk
from lab.aws.cdk import PROJECT
from lab.rig.chirpstack_broker import ChirpStackBroker

BRIDGE = "network-host-1"
APPLICATION_ID, DEV_EUI = "4de338a8-d918-4a0d-a7b9-e2fd8b4de47b", "70b3d57ed0aa0012"
EVENT_TOPIC = f"application/{APPLICATION_ID}/device/{DEV_EUI}/event/up"
_COMMANDS = "application/+/device/+/command/+"
_DOCUMENTED = (PROJECT / "docs" / "troubleshooting.md").read_text()
_LIMIT = 10.0  # seconds


def up() -> bytes:
    """Return an uplink, as short as one can be."""
    device = {"applicationId": APPLICATION_ID, "devEui": DEV_EUI}
    return json.dumps({"deviceInfo": device, "fPort": 1, "data": "Af4="}).encode()


def configured(folder: Path, *servers: str, downlinks: bool = True) -> Config:
    """Return a configuration with these tables of ChirpStack servers."""
    tables = "".join(f"[[chirpstack]]\n{each}\n" for each in servers)
    text = f"""
        {tables}
        [aws]
        endpoint = "localhost"
        client_id = "{BRIDGE}"
        certificate = "b"
        private_key = "c"
        [spool]
        path = "d"
        {"[downlinks]" if downlinks else ""}
    """
    return parse(text, folder / "bridge.toml")


def checked(config: Config) -> list[Finding]:
    """Look at the links of the ChirpStack servers."""
    return list(walk(chirpstack.links(config), time.monotonic))


def whole(findings: Sequence[Finding]) -> list[str]:
    """Return the links that are whole."""
    return [each.link for each in findings if each.state is State.WHOLE]


def breaks_at(findings: Sequence[Finding], link: str, words: str, remedy: str) -> None:
    """Assert that this link alone is broken, the last looked at, and as the docs have it."""
    *before, last = findings
    assert (last.link, last.state) == (link, State.BROKEN), last
    assert re.search(words, last.detail), last
    assert re.search(remedy, last.remedy), last
    assert State.BROKEN not in {each.state for each in before}
    said = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1883", line(last))
    said = re.sub(r"/[^ ]*/(?=[^/ ]+\.(pem|password))", "/etc/lora-bridge/", said)
    said = said.replace(APPLICATION_ID, "APPLICATION_ID").replace(DEV_EUI, "DEV_EUI")
    said = re.sub("refused as (.*): AWS_[A-Z0-9_]+", r"refused as \1: AWS_IO_SOCKET_CLOSED", said)
    said = said.replace("self signed", "self-signed")  # as another OpenSSL says it
    assert f"`{said}`" in _DOCUMENTED, said


@contextmanager
def listening(broker: ChirpStackBroker) -> Iterator[list[tuple[str, bytes]]]:
    """Subscribe to commands, as ChirpStack does; yield a list of those that have come."""
    connected = Event()
    came: list[tuple[str, bytes]] = []
    callbacks = Callbacks(
        connected=connected.set, received=lambda topic, payload: came.append((topic, payload))
    )
    client = broker_client(broker.settings, "chirpstack", callbacks)
    client.start()
    assert connected.wait(_LIMIT)
    client.subscribe([_COMMANDS]).result(_LIMIT)
    try:
        yield came
    finally:
        client.stop()


@contextmanager
def publishing(
    broker: ChirpStackBroker,
    payload: bytes,
    qos: int = 1,
    topic: str = EVENT_TOPIC,
    options: Sequence[str] = (),
) -> Iterator[None]:
    """Publish an event again and again."""
    command = [
        *("mosquitto_pub", "-p", str(broker.port), "-q", str(qos), "-t", topic, "-s"),
        *("--repeat", "1000", "--repeat-delay", "0.02", *options),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(payload)
        process.stdin.close()
        try:
            yield
        finally:
            process.terminate()


def users(folder: Path, acl: str) -> dict[str, str]:
    """Return settings of a broker that knows the user ``bridge``, and what it may do."""
    passwords, rights = folder / "passwords", folder / "acl"
    command = ["mosquitto_passwd", "-b", "-c", str(passwords), "bridge", "secret"]
    subprocess.run(command, check=True)
    rights.write_text(acl)
    (folder / "right.password").write_text("secret\n")
    (folder / "wrong.password").write_text("guess\n")
    return {
        "allow_anonymous": "false",
        "password_file": str(passwords),
        "acl_file": str(rights),
    }
