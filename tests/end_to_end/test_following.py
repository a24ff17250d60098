"""Several programs of a consumer at once, on the local AWS with its policies."""

import csv
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from console.identity.enroll import Endpoint
from console.store.subscription import Consumer, subscribed
from contract.deployment import UNNAMED
from contract.errors import BridgeError
from lab.aws.host import Host
from lab.rig.errors import RigError
from lab.rig.link import Proxy
from lab.rig.running_bridge import LORA_BRIDGE, running_bridge
from lab.rig.servers import free_ports, stop
from tests.end_to_end.conftest import BRIDGE, CONSUMER
from tests.end_to_end.test_decoder import frame
from tests.end_to_end.traffic import send, wait_for_rows

pytestmark = pytest.mark.aws

_LIMIT = 60.0  # seconds


@pytest.fixture
def bridge(host: Host, spool: dict[str, str]) -> Iterator[int]:
    """Run a bridge; return its port."""
    config, port = host.configure("following.toml", spool)
    with running_bridge(config) as running:
        running.says("ready: ")
        yield port


class Program:
    """A program that runs, and what it has written so far."""

    def __init__(self, output: Path, said: Path) -> None:
        self._output = output
        self._said = said

    @property
    def lines(self) -> list[str]:
        """Its standard output."""
        return self._output.read_text().splitlines()

    @property
    def said(self) -> str:
        """Its standard error."""
        return self._said.read_text()

    @property
    def uplinks(self) -> list[str]:
        """The bytes of the uplinks in its output, which is CSV, in hexadecimal."""
        return [row["bytes"] for row in csv.DictReader(self.lines)]

    def until(self, done: "Callable[[Program], bool]") -> None:
        """Wait for something in what it has written."""
        deadline = time.monotonic() + _LIMIT
        while not done(self):
            assert time.monotonic() < deadline, (self.lines, self.said)
            time.sleep(0.05)


@contextmanager
def running(
    folder: Path, name: str, command: list[str], environment: dict[str, str]
) -> Iterator[Program]:
    """Run a program until the context ends; its output is in ``folder``."""
    output, said = folder / f"{name}.out", folder / f"{name}.err"
    with output.open("wb") as out, said.open("wb") as error:
        process = subprocess.Popen(command, stdout=out, stderr=error, env=environment)
    try:
        yield Program(output, said)
    finally:
        stop(process)


def follow(host: Host, device: str, port: int) -> list[str]:
    """Return the command that follows a device, at a port of the broker's or of a link to it."""
    return [
        *(*LORA_BRIDGE, "history", device, "--follow", "--name", CONSUMER, "--format", "csv"),
        *("--fields", "bytes", "--dir", str(host.folder), "--endpoint", "localhost"),
        *("--port", str(port), "--root-ca", str(host.aws.mqtt_ca)),
    ]


@pytest.mark.broker
def test_programs_of_a_consumer_get_everything(
    host: Host, table: str, application: str, bridge: int, tmp_path: Path
) -> None:
    """Two that follow and a mosquitto_sub under the bare name all get every uplink, undisturbed."""
    device = f"{application}/f"
    send(bridge, frame(application, "f", 9, b"\0"))
    wait_for_rows(table, 1, device)
    subscriber = [
        *("mosquitto_sub", "-h", "localhost", "-p", str(host.aws.mqtt_port), "-i", CONSUMER),
        *("-t", f"lora/{device}", "-q", "1", "-d", "--cafile", str(host.aws.mqtt_ca)),
        *("--cert", str(host.folder / f"{CONSUMER}.pem")),
        *("--key", str(host.folder / f"{CONSUMER}.key")),
    ]
    command = follow(host, device, host.aws.mqtt_port)
    environment = host.aws.environment()
    with ExitStack() as stack:
        plain = stack.enter_context(
            running(tmp_path, "plain", ["stdbuf", "-oL", *subscriber], environment)
        )
        followers = [
            stack.enter_context(running(tmp_path, each, command, environment))
            for each in ("one", "two")
        ]
        plain.until(lambda program: any("Subscribed" in line for line in program.lines))
        for each in followers:
            each.until(lambda program: program.uplinks == ["00"])
        numbers = range(1, 61)
        send(bridge, b"".join(frame(application, "f", 9, bytes([each])) for each in numbers))
        for each in followers:
            each.until(lambda program: len(program.uplinks) == 61)
            assert each.uplinks == [f"{number:02x}" for number in range(61)]
            assert each.said == ""
        plain.until(lambda program: sum('"port9_bytes"' in line for line in program.lines) == 60)
        assert sum("sending CONNECT" in line for line in plain.lines) == 1


def test_a_broken_link_is_said_and_its_gap_filled(
    host: Host, table: str, application: str, bridge: int, tmp_path: Path
) -> None:
    """What was stored meanwhile is shown once, between what came before and what comes after."""
    device = f"{application}/g"
    link = Proxy(free_ports(1)[0], host.aws.mqtt_port)
    link.open()
    command = follow(host, device, link.port)

    def uplinks(*numbers: int) -> None:
        send(bridge, b"".join(frame(application, "g", 9, bytes([each])) for each in numbers))

    try:
        with running(tmp_path, "follower", command, host.aws.environment()) as follower:
            uplinks(1)
            follower.until(lambda program: program.uplinks == ["01"])
            link.close()
            follower.until(lambda program: "connecting again" in program.said)
            uplinks(2, 3)
            wait_for_rows(table, 3, device)
            link.open()
            follower.until(lambda program: "connected again" in program.said)
            uplinks(4)
            follower.until(lambda program: "04" in program.uplinks)
            assert follower.uplinks == ["01", "02", "03", "04"]
    finally:
        link.close()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (BRIDGE, f"{BRIDGE} is a bridge, which may not listen: name a consumer"),
        ("nobody", "no stack LoraIdentity-nobody in region"),
    ],
)
def test_who_may_not_follow(host: Host, name: str, problem: str) -> None:
    """A bridge's name is refused before it connects, as is one that is not deployed."""
    with pytest.raises(RigError, match=f"lora-bridge: {problem}"):
        host.lora_bridge("history", "a/d", "--follow", "--name", name, "--dir", str(host.folder))


def test_a_policy_of_before(host: Host) -> None:
    """Who is not let in under a client ID is told to deploy the policy that lets it in."""
    where = Endpoint("localhost", host.aws.mqtt_port, host.aws.mqtt_ca)
    refused = Consumer(UNNAMED, CONSUMER, f"{CONSUMER}-follow", host.folder, where)
    remedy = f"as {CONSUMER}-follow: NOT_AUTHORIZED: deploy the stack of {CONSUMER} again"
    with pytest.raises(BridgeError, match=remedy), subscribed(refused, ("lora/a/d",)):
        pass


def test_a_topic_that_is_not_allowed(host: Host) -> None:
    """A refused subscription ends it at once, with the reason."""
    where = Endpoint("localhost", host.aws.mqtt_port, host.aws.mqtt_ca)
    consumer = Consumer(UNNAMED, CONSUMER, f"{CONSUMER}.follow", host.folder, where)
    refusal = "AWS IoT does not grant the subscription: NOT_AUTHORIZED"
    with pytest.raises(BridgeError, match=refusal), subscribed(consumer, ("other/a/d",)):
        pass
