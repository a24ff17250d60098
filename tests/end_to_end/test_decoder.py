"""From a stored uplink to its reading: the function in place, fed by the table's stream."""

import base64
import json
import os
import shutil
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer

from console.store.history import table_name, uplinks
from contract.deployment import UNNAMED
from contract.rows import Row
from lab.aws.cdk import PROJECT, deploy, write_settings
from lab.aws.consumer import Client, connect
from lab.aws.host import Host
from lab.rig.running_bridge import running_bridge
from tests.end_to_end.conftest import CONSUMER
from tests.end_to_end.traffic import send

pytestmark = pytest.mark.aws

AT = "2026-11-01T08:00:00.000000Z"
_LIMIT = 30.0  # seconds for a row to be decoded

Image = dict[str, str | list[int]]


@pytest.fixture
def bridge(host: Host, spool: dict[str, str]) -> Iterator[int]:
    """Run a bridge; return its port."""
    config, port = host.configure("decoder.toml", spool)
    with running_bridge(config) as running:
        running.says("ready: ")
        yield port


@pytest.fixture
def listener(host: Host, application: str) -> Iterator[Client]:
    """Subscribe to the readings of this test's application."""
    with connect(host, CONSUMER, CONSUMER) as client:
        client.subscribe(f"lora/{application}/+/decoded")
        yield client


def frame(application: str, device: str, port: int, data: bytes) -> bytes:
    """Return a frame with its NUL."""
    userdata = {"port": port, "payload": base64.b64encode(data).decode()}
    app = {"appeui": application, "moteeui": device, "dir": "up", "userdata": userdata}
    return json.dumps({"app": app}).encode() + b"\0"


def decoded_row(table: str, device: str) -> Row:
    """Wait until the device's newest row is decoded, or known to be undecodable."""
    deadline = time.monotonic() + _LIMIT
    while True:
        row = next(uplinks(table, device, limit=1), None)
        if row and row.keys() & {"decoded", "decode_error"}:
            return row
        assert time.monotonic() < deadline, row
        time.sleep(0.1)


def test_an_uplink_gets_its_reading(
    bridge: int, table: str, application: str, listener: Client
) -> None:
    """A frame ends as a row with the codec's map, exact, and as a message to those who listen."""
    device = f"{application}/1"
    send(bridge, frame(application, "1", 101, b"\x01\x02\x03"))
    row = decoded_row(table, device)
    reading = row["decoded"]
    assert isinstance(reading, dict)
    assert reading["first"] == Decimal("0.1")
    assert reading["rest"] == [2, 3]
    assert reading["unit"] == "C"
    assert str(reading["at"])[:23] == str(row["timestamp"])[:23]
    assert row["port101_bytes"] == [1, 2, 3]
    topic, payload = listener.session.wait_for(1)[0]
    assert topic == f"lora/{device}/decoded"
    message = json.loads(payload)
    assert message["timestamp"] == row["timestamp"]
    assert message["port"] == 101
    assert message["decoded"]["first"] == 0.1
    # Had the message fed the rule, there would be a row of the device "1/decoded", or of none.
    assert len(list(uplinks(table, device))) == 1


@pytest.mark.parametrize(
    ("port", "code"),
    [(102, "timeout"), (103, "memory"), (104, "exception"), (105, "bad_result")],
)
def test_a_bad_codec_costs_its_own_uplink_only(
    bridge: int, table: str, application: str, port: int, code: str
) -> None:
    """A codec that loops, allocates, throws or answers nonsense leaves its row with the reason."""
    frames = frame(application, "bad", port, b"\1") + frame(
        application, "good", 106, b"\3\x67\1\x10"
    )
    send(bridge, frames)
    error = decoded_row(table, f"{application}/bad")["decode_error"]
    assert isinstance(error, dict)
    assert error["code"] == code
    assert error["message"]
    reading = decoded_row(table, f"{application}/good")["decoded"]
    assert reading == {"temperature_3": Decimal("27.2")}


def item(application: str, device: str, data: list[int], port: int = 101) -> Image:
    """Return a row as the rule stores it."""
    return {"device": f"{application}/{device}", "timestamp": AT, f"port{port}_bytes": data}


def stream_record(number: int, image: Image) -> dict[str, object]:
    """Return what Lambda gets of a new row."""
    serializer = TypeSerializer()
    attributes = {name: serializer.serialize(value) for name, value in image.items()}
    keys = {name: attributes[name] for name in ("device", "timestamp") if name in attributes}
    change = {"SequenceNumber": str(number), "NewImage": attributes, "Keys": keys}
    return {"eventName": "INSERT", "dynamodb": change}


def invoke(function: str, *records: dict[str, object]) -> list[str]:
    """Hand over a batch; return the sequence numbers that are to come again."""
    answer = boto3.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps({"Records": records}).encode()
    )
    said = json.loads(answer["Payload"].read())
    return [failure["itemIdentifier"] for failure in said["batchItemFailures"]]


def test_a_batch_that_comes_again_changes_nothing(
    table: str, function: str, application: str
) -> None:
    """Three deliveries of a record leave one reading."""
    image = item(application, "2", [5, 6])
    boto3.resource("dynamodb").Table(table).put_item(Item=image)
    assert invoke(function, stream_record(1, image)) == []
    before = decoded_row(table, str(image["device"]))
    other = item(application, "2", [7])  # would be another reading, if it were decoded again
    assert invoke(function, stream_record(1, image), stream_record(1, other)) == []
    assert decoded_row(table, str(image["device"])) == before


def test_a_poisoned_record_holds_up_nobody(table: str, function: str, application: str) -> None:
    """Of a batch with a record that nobody understands, the others are decoded, and it is over."""
    images = [item(application, f"p{number}", [number]) for number in range(3)]
    writer = boto3.resource("dynamodb").Table(table)
    for image in images:
        writer.put_item(Item=image)
    poison = stream_record(
        99, {"device": f"{application}/p", "no": "timestamp", "port101_bytes": [1]}
    )
    batch = [stream_record(0, images[0]), poison, *map(stream_record, (1, 2), images[1:])]
    assert invoke(function, *batch) == []
    for number, image in enumerate(images):
        reading = decoded_row(table, str(image["device"]))["decoded"]
        assert isinstance(reading, dict)
        assert reading["first"] == Decimal(number) / 10


def test_a_row_that_is_replaced_is_decoded_again(table: str, application: str) -> None:
    """The rule puts an uplink that comes twice over its row, which then gets its reading back."""
    image = item(application, "twice", [3])
    writer = boto3.resource("dynamodb").Table(table)
    for _ in range(2):
        writer.put_item(Item=image)
        reading = decoded_row(table, str(image["device"]))["decoded"]
        assert isinstance(reading, dict)
        assert reading["first"] == Decimal("0.3")


def test_its_own_writing_does_not_come_back(table: str, application: str) -> None:
    """A row with decoded_by does not reach the function, whatever it lacks; the next one does."""
    own = item(application, "own", [1])
    writer = boto3.resource("dynamodb").Table(table)
    for _ in range(2):  # as a new row, and as one that takes another's place
        writer.put_item(Item={**own, "decoded_by": "pair.js@00000000"})
        writer.put_item(Item={**own, "seqno": 1, "decoded_by": "pair.js@00000000"})
    next_one = item(application, "next", [1])
    writer.put_item(Item=next_one)
    decoded_row(table, str(next_one["device"]))  # the stream has passed the others
    (row,) = uplinks(table, str(own["device"]))
    assert not row.keys() & {"decoded", "decode_error"}


def test_a_row_that_is_gone_stays_gone(table: str, function: str, application: str) -> None:
    """An uplink that expired meanwhile does not come back as a row with a reading alone."""
    image = item(application, "gone", [1])
    assert invoke(function, stream_record(1, image)) == []
    assert list(uplinks(table, str(image["device"]))) == []


def test_warnings_are_kept_beside_the_reading(table: str, function: str, application: str) -> None:
    """What the codec warns of is an attribute of its own."""
    image = item(application, "warned", [0])
    boto3.resource("dynamodb").Table(table).put_item(Item=image)
    assert invoke(function, stream_record(1, image)) == []
    row = decoded_row(table, str(image["device"]))
    assert row["decode_warnings"] == ["nothing"]
    assert row.keys() - image.keys() == {"decoded", "decode_warnings", "decoded_by"}


def test_a_vendors_codec_from_file_to_plot(
    host: Host,
    context: dict[str, object],
    bridge: int,
    application: str,
    tmp_path: Path,
) -> None:
    """Copied, tested, assigned and deployed, a codec decodes the next uplink, which is drawn."""
    codecs = shutil.copytree(str(context["codecs"]), tmp_path / "codecs")
    for name in ("climate.js", "test_decode_climate.json"):
        shutil.copy(PROJECT / "lab" / "demo_codecs" / name, codecs)
    assert host.lora_bridge("codec-test", str(codecs)) == "codecs=1 examples=3 passed=3 failed=0\n"
    with (tmp_path / "codecs" / "codecs.toml").open("a") as mapping:
        mapping.write(f'[[codec]]\nfile = "climate.js"\napplication = "{application}"\n')
    changed = {**context, "codecs": str(codecs)}
    deploy(os.environ, tmp_path / "cdk.out", write_settings(tmp_path, changed))
    send(bridge, frame(application, "c", 1, b"\x07\x8c\x3c"))
    reading = {"temperature": Decimal("19.32"), "humidity": 60}
    assert decoded_row(table_name(UNNAMED), f"{application}/c")["decoded"] == reading
    chart = host.lora_bridge("history", f"{application}/c", "--plot", "temperature")
    assert "temperature" in chart
