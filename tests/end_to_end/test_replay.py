"""History goes out over MQTT again, as it was, and is not stored once more."""

import json
import os
import pty
import re
import signal
import subprocess
from decimal import Decimal

import boto3
import pytest

from console.store.history import uplinks
from contract.times import format_time
from lab.aws.consumer import connect
from lab.aws.host import Host
from lab.rig.running_bridge import LORA_BRIDGE, running_bridge
from tests.end_to_end.conftest import CONSUMER
from tests.end_to_end.traffic import numbered, send, wait_for_rows

pytestmark = pytest.mark.aws

_START = 1_790_000_000_000_000  # microseconds since 1970
_PERIOD = ("--since", format_time(_START), "--until", format_time(_START + 60_000_000))


@pytest.fixture
def device(table: str, application: str) -> str:
    """Store twenty uplinks, a second apart, every other one with its lists as JSON texts."""
    device = f"{application}/d"
    with boto3.resource("dynamodb").Table(table).batch_writer() as batch:
        for seqno in range(20):
            lists = {"port1_bytes": [seqno], "gwrx": [{"rssi": -57, "lsnr": Decimal("9.2")}]}
            texts = {name: json.dumps(value, default=float) for name, value in lists.items()}
            batch.put_item(
                Item={
                    "device": device,
                    "timestamp": format_time(_START + seqno * 1_000_000),
                    "seqno": seqno,
                    "expires": 4_000_000_000,
                    "decoded": {"temperature": seqno},
                    **(texts if seqno % 2 else lists),
                }
            )
    return device


def test_uplinks_come_again_as_they_were(
    host: Host, table: str, application: str, spool: dict[str, str]
) -> None:
    """A consumer receives below the prefix, in order, what it received when they were new."""
    config, port = host.configure("replay.toml", spool)
    with connect(host, CONSUMER, CONSUMER) as consumer:
        assert consumer.subscribe(f"lora/{application}/+") == 1
        assert consumer.subscribe(f"lora/replay/{application}/+") == 1
        with running_bridge(config) as bridge:
            bridge.says("ready: ")
            send(port, b"".join(f for seqno in range(20) for f in numbered(application, 1, seqno)))
            wait_for_rows(table, 20, f"{application}/0")
            bridge.stop()
        new = list(consumer.session.wait_for(20))
        arguments = ("replay", f"{application}/0", "--since", "2h", "--rate", "100")
        said = host.lora_bridge(*arguments, "--topic-prefix", "lora/replay")
        again = consumer.session.wait_for(40)[20:]
    last = json.loads(new[-1][1])["timestamp"]
    assert said == f"published=20 last={last}\n"
    assert {topic for topic, _payload in again} == {f"lora/replay/{application}/0"}
    assert [exact(payload) for _topic, payload in again] == [exact(load) for _topic, load in new]
    assert len(list(uplinks(table, f"{application}/0"))) == 20
    assert list(uplinks(table, f"replay/{application}")) == []


def exact(payload: bytes) -> object:
    """Return what a payload says, with its numbers as they are written."""
    return json.loads(payload, parse_float=Decimal)


def test_older_forms_of_rows(host: Host, device: str) -> None:
    """Lists that are stored as JSON texts are lists again, and only the period is replayed."""
    with connect(host, CONSUMER, CONSUMER) as consumer:
        assert consumer.subscribe(f"lora/r/{device}") == 1
        bounds = (
            "--since",
            format_time(_START + 3_000_000),
            "--until",
            format_time(_START + 6_000_000),
        )
        host.lora_bridge("replay", device, *bounds, "--topic-prefix", "lora/r")
        received = [exact(payload) for _topic, payload in consumer.session.wait_for(4)]
    assert received == [
        {
            "port1_bytes": [seqno],
            "timestamp": format_time(_START + seqno * 1_000_000),
            "seqno": seqno,
            "gwrx": [{"rssi": -57, "lsnr": Decimal("9.2")}],
        }
        for seqno in range(3, 7)
    ]


def test_ctrl_c_ends_with_the_summary(host: Host, device: str) -> None:
    """It is shown how far it has come, and said from where to go on."""
    controller, terminal = pty.openpty()
    command = [*LORA_BRIDGE, "replay", device, *_PERIOD, "--topic-prefix", "lora/r", "--rate", "4"]
    environment = host.aws.environment()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=terminal, env=environment, text=True
    ) as replaying:
        os.close(terminal)
        shown = ""
        while "2 published" not in shown:
            shown += os.read(controller, 1024).decode()
        replaying.send_signal(signal.SIGINT)
        said, _ = replaying.communicate()
        shown += os.read(controller, 65_536).decode()
    os.close(controller)
    assert replaying.returncode == 130
    match = re.fullmatch(r"published=(\d+) last=(\S+)\n", said)
    assert match
    assert 2 <= int(match[1]) < 20
    assert match[2] == format_time(_START + (int(match[1]) - 1) * 1_000_000)
    assert f"to go on: --since {match[2]}" in shown


def test_nothing_to_replay(host: Host, application: str) -> None:
    """A device without uplinks in that time is said to have none."""
    arguments = ("replay", f"{application}/none", *_PERIOD, "--topic-prefix", "p")
    assert host.lora_bridge(*arguments) == "published=0\n"


def test_what_aws_does_not_take_is_one_line(host: Host, device: str) -> None:
    """A publish that fails ends the replay, with the summary and the reason."""
    command = [*LORA_BRIDGE, "replay", device, *_PERIOD, "--topic-prefix", "lora/r"]
    nowhere = {"AWS_ENDPOINT_URL_IOT_DATA_PLANE": "https://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    done = subprocess.run(
        command,
        env=host.aws.environment() | nowhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "published=0\n")
    assert done.stderr.startswith("lora-bridge: AWS: Could not connect to the endpoint URL")
