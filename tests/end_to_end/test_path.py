"""From a frame on the network server's socket to the row, the subscriber and the history."""

import csv
import json
import shutil
import subprocess
import time
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path

import boto3
import pytest

from console.deployment import stack_outputs
from console.store.history import uplinks
from contract.deployment import UNNAMED
from contract.names import ERROR_QUEUE_OUTPUT
from contract.times import parse_time
from lab.aws.consumer import connect
from lab.aws.host import Host
from lab.aws.server import LocalAws
from lab.aws.stored import count_stored
from lab.rig.errors import RigError
from lab.rig.running_bridge import running_bridge
from tests.bridge.sources.semtech.frames import LAYOUT_1
from tests.end_to_end.conftest import BRIDGE, CONSUMER, OTHER_BRIDGE
from tests.end_to_end.traffic import numbered, send, wait_for_rows

pytestmark = pytest.mark.aws

TOPIC = "lora/37817737f13/9372163"


def test_simulated_network_reaches_the_table(host: Host, table: str, spool: dict[str, str]) -> None:
    """Every frame of a simulated network is published, stored once, and counted alike."""
    before = count_stored(table).rows
    config, port = host.configure("path.toml", spool)
    with running_bridge(config) as bridge:
        bridge.says(f"listening on 127.0.0.1:{port}")
        bridge.says("ready: connected")
        where = ("--connect", f"127.0.0.1:{port}")
        said = host.lora_bridge(
            "simulate", *where, "--count", "300", "--rate", "600", "--devices", "7"
        )
        assert said == "sent=300 devices=7 downlinks=0 lost=0\n"
        counts = bridge.stop()
    assert counts == {
        "received": 314,  # with 7 joins and 7 statuses
        "accepted": 300,
        "noticed": 14,
        "ignored": 0,
        "rejected": 0,
        "downlinks": 0,
        "events": 14,
        "published": 300,
        "refused": 0,
        "left": 0,
    }
    stored = wait_for_rows(table, before + 300)
    assert stored == before + 300


def test_article_example(host: Host, table: str, spool: dict[str, str]) -> None:
    """The article's example frame arrives as consumers expect it, and so does its row."""
    config, port = host.configure("article.toml", spool)
    with connect(host, CONSUMER, CONSUMER) as consumer, running_bridge(config) as bridge:
        assert consumer.subscribe("lora/#") == 1
        bridge.says("ready: ")
        send(port, LAYOUT_1 + b"\0")
        ((topic, payload),) = consumer.session.wait_for(1)
    assert topic == TOPIC
    assert payload.startswith(b'{"port1_bytes":[1,254],"timestamp":"')
    message = json.loads(payload, parse_float=Decimal)
    assert message["seqno"] == 12
    wait_for_rows(table, 1, device="37817737f13/9372163", since=message["timestamp"])
    moment = parse_time(message["timestamp"]) or 0
    (row,) = uplinks(table, "37817737f13/9372163", since=moment, until=moment)
    assert row == message | {"device": "37817737f13/9372163", "expires": row["expires"]}


@pytest.mark.skipif(
    shutil.which("mosquitto_sub") is None,
    reason="mosquitto_sub is missing: on Debian, 'apt-get install mosquitto-clients' brings it",
)
def test_mosquitto_sub(host: Host, spool: dict[str, str]) -> None:
    """A subscriber that knows nothing of us sees the example with a consumer's certificate."""
    config, port = host.configure("mosquitto.toml", spool)
    command = [
        *("mosquitto_sub", "-h", "localhost", "-p", str(host.aws.mqtt_port), "-i", CONSUMER),
        *("-t", "lora/37817737f13/+", "-q", "1", "-v", "-C", "1", "-W", "30"),
        *("--cafile", str(host.aws.mqtt_ca), "--cert", str(host.folder / f"{CONSUMER}.pem")),
        *("--key", str(host.folder / f"{CONSUMER}.key")),
    ]
    with running_bridge(config) as bridge:
        bridge.says("ready: ")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as subscriber:
            while subscriber.poll() is None:  # it does not tell when it has subscribed
                send(port, LAYOUT_1 + b"\0")
                time.sleep(0.5)
            said, _ = subscriber.communicate()
    assert said.startswith(f'{TOPIC} {{"port1_bytes":[1,254],"timestamp":"')


def test_two_bridges_write_one_row_for_each_uplink(
    host: Host, table: str, application: str, tmp_path: Path
) -> None:
    """A pair fed the same frames, in which some share a time, stores each uplink once."""
    frames = [frame for seqno in range(50) for frame in numbered(application, 4, seqno)]
    frames[60:60] = frames[20:40]  # some are delivered twice
    for name, file_name in ((BRIDGE, "one.toml"), (OTHER_BRIDGE, "other.toml")):
        changes = {
            'path = "spool.db"': f'path = "{tmp_path}/{name}.db"',
            f'client_id = "{BRIDGE}"': f'client_id = "{name}"',
            f'"{BRIDGE}.pem"': f'"{name}.pem"',
            f'"{BRIDGE}.key"': f'"{name}.key"',
        }
        config, port = host.configure(file_name, changes)
        with running_bridge(config) as bridge:
            bridge.says("ready: ")
            send(port, b"".join(frames))
            assert bridge.stop()["published"] == 220
    for device in range(4):
        wait_for_rows(table, 50, device=f"{application}/{device:x}")
        rows = list(uplinks(table, f"{application}/{device:x}"))
        assert sorted(row["seqno"] for row in rows if isinstance(row["seqno"], int)) == list(
            range(50)
        )


def test_history_formats(host: Host, table: str, application: str, spool: dict[str, str]) -> None:
    """History comes newest first, within its bounds, as a table, JSON and CSV."""
    device = f"{application}/0"
    config, port = host.configure("history.toml", spool)
    with running_bridge(config) as bridge:
        bridge.says("ready: ")
        send(port, b"".join(f for seqno in range(30) for f in numbered(application, 1, seqno)))
        bridge.stop()
    wait_for_rows(table, 30, device=device)

    rows = json.loads(host.lora_bridge("history", device, "--format", "json"))
    assert [row["seqno"] for row in rows] == list(range(29, -1, -1))
    times = [row["timestamp"] for row in rows]
    assert times == sorted(times, reverse=True)
    assert all(row["port1_bytes"] == [1, 254] for row in rows)
    assert all(isinstance(row["gwrx"], list) for row in rows)

    table_text = host.lora_bridge("history", device, "--limit", "3").splitlines()
    assert [line.split()[1] for line in table_text] == ["seqno", "29", "28", "27"]

    bounds = ("--since", times[20], "--until", times[10])
    text = host.lora_bridge("history", device, *bounds, "--format", "csv")
    assert [int(row["seqno"]) for row in csv.DictReader(StringIO(text))] == list(range(19, 8, -1))

    assert (
        json.loads(host.lora_bridge("history", device, "--until", "2h", "--format", "json")) == []
    )


def test_history_reads_every_page(table: str, application: str) -> None:
    """More than one page of the database is one history, and a limit may cross pages."""
    device = f"{application}/0"
    with boto3.resource("dynamodb").Table(table).batch_writer() as batch:
        for number in range(60):
            time = f"2026-01-01T00:00:00.{number:06d}Z"
            batch.put_item({"device": device, "timestamp": time, "filling": "x" * 50_000})
    first_page = (
        boto3.resource("dynamodb")
        .Table(table)
        .query(
            KeyConditionExpression="device = :device", ExpressionAttributeValues={":device": device}
        )
    )
    assert len(first_page["Items"]) < 60
    assert len(list(uplinks(table, device))) == 60
    assert [row["timestamp"] for row in uplinks(table, device, limit=40)] == [
        f"2026-01-01T00:00:00.{number:06d}Z" for number in range(59, 19, -1)
    ]


def test_what_cannot_be_stored_goes_to_the_queue(
    host: Host, application: str, aws: LocalAws
) -> None:
    """A message that the table refuses is in the error queue, with its payload and the reason.

    The local AWS delivers it without TLS, which the queue's policy forbids: the policy is taken
    off for this test.
    """
    sqs = boto3.client("sqs")
    (queue,) = stack_outputs(UNNAMED.store_stack, ERROR_QUEUE_OUTPUT)
    queue = f"{aws.endpoint_url}/{queue.split('/', 3)[3]}"
    policy = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
    try:
        with connect(host, BRIDGE, BRIDGE) as bridge:
            assert bridge.publish(f"lora/{application}/d", b'{"no":"timestamp"}') == 0
        received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=policy)
    failure = json.loads(received[0]["Body"])
    assert failure["topic"] == f"lora/{application}/d"
    assert failure["base64OriginalPayload"] == "eyJubyI6InRpbWVzdGFtcCJ9"
    assert failure["failures"]


def test_enroll_again_keeps_the_configuration(host: Host) -> None:
    """Enrolling a second time fetches the certificate and leaves bridge.toml as it is."""
    configuration = (host.folder / "bridge.toml").read_text()
    (host.folder / f"{BRIDGE}.pem").unlink()
    host.enroll(BRIDGE)
    assert (host.folder / f"{BRIDGE}.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert (host.folder / "bridge.toml").read_text() == configuration


def test_enroll_finds_the_endpoint_by_itself(host: Host, tmp_path: Path) -> None:
    """Without --endpoint, the configuration has the endpoint that AWS IoT names."""
    shutil.copy(host.folder / f"{BRIDGE}.key", tmp_path)
    host.lora_bridge("enroll", "--name", BRIDGE, "--dir", str(tmp_path))
    found = boto3.client("iot").describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    host_name = found.partition(":")[0]  # the local AWS adds the port of its HTTPS services
    assert f'endpoint = "{host_name}"\nport = 8883' in (tmp_path / "bridge.toml").read_text()


def test_enroll_with_another_key(host: Host, tmp_path: Path) -> None:
    """A certificate that is not for the key at hand is refused before anything is written."""
    other = Host(host.aws, tmp_path)
    other.keygen(BRIDGE)
    with pytest.raises(RigError, match=r"does not belong to .*network-host-1\.key"):
        other.enroll(BRIDGE)
    assert not (tmp_path / f"{BRIDGE}.pem").exists()


def test_enroll_before_deploy(host: Host, tmp_path: Path) -> None:
    """Without its stack, the one line says what to run."""
    with pytest.raises(RigError) as caught:
        Host(host.aws, tmp_path).enroll("nobody")
    assert "no stack LoraIdentity-nobody in region us-east-1: deploy it with" in str(caught.value)


def test_aws_that_does_not_answer(host: Host) -> None:
    """An error of the AWS SDK is one line too."""
    nowhere = replace(host, aws=replace(host.aws, port=1))
    with pytest.raises(RigError, match=r"^lora-bridge history a/d: lora-bridge: AWS: Could not"):
        nowhere.lora_bridge("history", "a/d")
