"""Silent devices, told by the deployed function and listed by the command, on the local AWS."""

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from console.deployment import stack_outputs
from console.store.devices import listed
from contract.deployment import Deployment
from contract.device_list import HEARD_AGAIN, KIND_KEY, NETWORK_KIND
from contract.names import DEVICES_OUTPUT, TABLE_OUTPUT
from contract.times import format_time
from lab.aws.cdk import deploy, write_settings
from lab.aws.server import LocalAws
from lab.rig.running_bridge import LORA_BRIDGE

pytestmark = pytest.mark.aws

WATCHED = Deployment("watched")
_MINUTE = 60_000_000
_QUARTER = 15 * _MINUTE
_HOUR = 60 * _MINUTE
_LIMIT = 60.0  # seconds for the decoder to list devices
_NAMES = [f"37817737f13/{number}" for number in range(5)]


@dataclass(frozen=True)
class Deployed:
    """What is deployed, and the queue to which people's topic goes."""

    function: str
    uplinks: str
    devices: str
    queue: str

    def run(self) -> list[str]:
        """Run the function; return the subjects and texts that people got."""
        done = boto3.client("lambda").invoke(FunctionName=self.function, Payload=b"{}")
        assert done.get("FunctionError") is None, done["Payload"].read()
        found = boto3.client("sqs").receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1
        )
        messages = [json.loads(each["Body"]) for each in found.get("Messages", [])]
        for each in found.get("Messages", []):
            boto3.client("sqs").delete_message(
                QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"]
            )
        return [f"{each['Subject']}\n{each['Message']}" for each in messages]

    def hear(self, device: str, *times: int) -> None:
        """Store uplinks of a device."""
        with boto3.resource("dynamodb").Table(self.uplinks).batch_writer() as batch:
            for each in times:
                batch.put_item(Item={"device": device, "timestamp": format_time(each)})

    def wait_for_list(self) -> None:
        """Wait until the decoder has listed all devices."""
        deadline = time.monotonic() + _LIMIT
        while [each.device for each in listed(self.devices)] != _NAMES:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def resource(kind: str) -> str:
    """Return the name of the one resource of a kind that belongs to the watch."""
    resources = boto3.client("cloudformation").describe_stack_resources(
        StackName=WATCHED.store_stack
    )
    (name,) = [
        each["PhysicalResourceId"]
        for each in resources["StackResources"]
        if each["ResourceType"] == kind and each["LogicalResourceId"].startswith("Silence")
    ]
    return name


def mailbox() -> tuple[str, str]:
    """Make a topic, and a queue that gets what it is told; return its ARN and the queue's URL."""
    sqs = boto3.client("sqs")
    topic = boto3.client("sns").create_topic(Name="operators")["TopicArn"]
    queue = sqs.create_queue(QueueName="mailbox")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = found["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, queue


@pytest.fixture
def deployed(aws: LocalAws, tmp_path: Path) -> Deployed:
    """Deploy a store that tells a topic of silent devices; only the tests let the function run."""
    del aws  # runs
    topic, queue = mailbox()
    settings: dict[str, object] = {
        "deployment": WATCHED.name,
        "environment": "development",
        "alarm_topic": topic,
        "silent_devices": True,
    }
    deploy(os.environ, tmp_path / "cdk.out", write_settings(tmp_path, settings))
    boto3.client("events").disable_rule(Name=resource("AWS::Events::Rule"))
    uplinks, devices = stack_outputs(WATCHED.store_stack, TABLE_OUTPUT, DEVICES_OUTPUT)
    return Deployed(resource("AWS::Lambda::Function"), uplinks, devices, queue)


def silent_devices(aws: LocalAws, folder: Path, *options: str) -> tuple[int, str, str]:
    """Run ``lora-bridge devices --silent``; return its status, and what it printed to whom."""
    done = subprocess.run(
        [*LORA_BRIDGE, "devices", "--silent", *options],
        env=aws.environment() | {"LORA_DEPLOYMENT": WATCHED.name},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_network_and_a_device_are_told_once_each(
    aws: LocalAws, deployed: Deployed, tmp_path: Path
) -> None:
    """Silent and back again, and the command says the same, or what a file makes of it."""
    now = time.time_ns() // 1000
    last = now - 2 * _HOUR
    for number, name in enumerate(_NAMES):
        begun = last - number * _MINUTE
        deployed.hear(name, *range(begun, begun - 10 * _QUARTER, -_QUARTER))
    deployed.wait_for_list()
    (told,) = deployed.run()
    assert told.startswith("lora-bridge watched: the network is silent\n")
    assert f"No device has been heard since {format_time(last)}" in told
    assert deployed.run() == []

    for name in _NAMES[1:]:
        deployed.hear(name, now)
    (told,) = deployed.run()
    assert told.startswith("lora-bridge watched: the network is heard again\n")
    assert deployed.run() == []

    # As if that was hours ago.
    boto3.resource("dynamodb").Table(deployed.devices).put_item(
        Item={
            KIND_KEY: NETWORK_KIND,
            "device": NETWORK_KIND,
            HEARD_AGAIN: format_time(now - _HOUR),
        }
    )
    (told,) = deployed.run()
    assert told.startswith("lora-bridge watched: 1 device is silent\n")
    assert f"{_NAMES[0]}: since {format_time(last)}, usually every 15m\n" in told
    assert "devices --silent --deployment watched" in told
    assert deployed.run() == []
    assert [(each.device, each.interval) for each in listed(deployed.devices)] == [
        (name, _QUARTER) for name in _NAMES
    ]

    status, table, _ = silent_devices(aws, tmp_path)
    assert status == 1
    header, line = table.splitlines()
    assert header.split() == ["device", "silent_since", "every", "missed"]
    assert line.split() == [_NAMES[0], format_time(last), "15m", "8"]
    (tmp_path / "intervals.toml").write_text('[[interval]]\ndevice = "0"\nevery = "never"\n')
    status, table, said = silent_devices(aws, tmp_path)
    assert (status, said) == (0, "no device is silent\n")
    assert len(table.splitlines()) == 1

    for options, why in (
        (("--application", "nope"), "no device of application nope has reported"),
        (("--deployment", "nowhere"), "no stack Lora-nowhere-Store"),
    ):
        status, table, said = silent_devices(aws, tmp_path, *options)
        assert (status, table) == (2, "")
        assert re.fullmatch(f"lora-bridge: .*{why}.*\n", said), said

    deployed.hear(_NAMES[0], now)
    (told,) = deployed.run()
    assert told.startswith("lora-bridge watched: 1 device is heard again\n")
    assert f"{_NAMES[0]}: at {format_time(now)}" in told
    assert deployed.run() == []
    metrics = boto3.client("cloudwatch").list_metrics(Namespace=WATCHED.metric_namespace)
    assert [each["MetricName"] for each in metrics["Metrics"]] == ["SilentDevices"]


def test_a_file_that_is_wrong_has_its_line(aws: LocalAws, tmp_path: Path) -> None:
    """Before anything is asked of AWS."""
    path = tmp_path / "mine.toml"
    path.write_text('[[interval]]\nevery = "often"\n')
    status, _, said = silent_devices(aws, tmp_path, "--intervals", str(path))
    assert status == 2
    assert said == (
        f"lora-bridge: {path}: interval[0]: every: 'often' is neither a time such as 15m or 1h,"
        " nor never\n"
    )
