"""Stored uplinks get readings later: after an outage, and from a codec that came or was mended."""

import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import boto3
import pytest

from console.store.devices import table_names
from console.store.history import uplinks
from contract.deployment import UNNAMED
from contract.device_list import KIND_KEY, kind_of
from lab.aws.host import Host
from lab.rig.errors import RigError
from lab.rig.running_bridge import LORA_BRIDGE
from tests.end_to_end.test_decoder import decoded_row, invoke, item, stream_record

pytestmark = pytest.mark.aws

_EARLIER = "pair.js@00000000"
_OLD: dict[str, str | dict[str, int]] = {"decoded": {"first": 99}, "decoded_by": _EARLIER}


def counts(said: str) -> dict[str, int]:
    """Return what the command's last line counts."""
    pairs = (each.split("=") for each in said.split())
    return {name: int(count) for name, count in pairs if int(count)}


@contextmanager
def outage(function: str) -> Iterator[None]:
    """Let the decoder find no table, as if AWS failed it."""
    client = boto3.client("lambda")
    variables = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=function, Environment={"Variables": {**variables, "TABLE": "gone"}}
    )
    try:
        yield
    finally:
        client.update_function_configuration(
            FunctionName=function, Environment={"Variables": variables}
        )


def test_after_an_outage(host: Host, table: str, function: str, application: str) -> None:
    """AWS's failure is tried again by Lambda, not an error; what it gave up is decoded later."""
    image = item(application, "1", [7])
    with outage(function):
        boto3.resource("dynamodb").Table(table).put_item(Item=image)
        assert invoke(function, stream_record(1, image)) == ["1"]
        with pytest.raises(RigError, match="run it again for what is left"):
            host.lora_bridge("redecode", str(image["device"]))
    (row,) = uplinks(table, str(image["device"]))
    assert not row.keys() & {"decoded", "decode_error"}
    assert counts(host.lora_bridge("redecode", str(image["device"]))) == {"decoded": 1}
    reading = decoded_row(table, str(image["device"]))["decoded"]
    assert isinstance(reading, dict)
    assert reading["first"] == Decimal("0.7")


def test_a_decoder_that_does_not_start(
    host: Host, table: str, function: str, application: str
) -> None:
    """The command ends with what the function said."""
    image = item(application, "1", [7])
    boto3.resource("dynamodb").Table(table).put_item(Item={**image, **_OLD})
    client = boto3.client("lambda")
    handler = client.get_function_configuration(FunctionName=function)["Handler"]
    client.update_function_configuration(FunctionName=function, Handler="decoder.gone.handle")
    try:
        with pytest.raises(RigError, match=r"the decoder failed: .*decoder\.gone"):
            host.lora_bridge("redecode", str(image["device"]))
    finally:
        client.update_function_configuration(FunctionName=function, Handler=handler)


def test_a_mended_codec_for_an_application(host: Host, table: str, application: str) -> None:
    """Old readings and errors of all its devices give way, and a repetition writes nothing."""
    listing = boto3.resource("dynamodb").Table(table_names(UNNAMED)[1])
    with boto3.resource("dynamodb").Table(table).batch_writer() as batch:
        for number in range(130):
            image = item(application, f"d{number % 3}", [number])
            time = f"2026-11-01T{number // 60:02}:{number % 60:02}:00.000000Z"
            batch.put_item(Item={**image, "timestamp": time, **_OLD})
        broken = {"code": "exception", "message": "no such field"}
        image = item(application, "d3", [1])
        batch.put_item(Item={**image, "decode_error": broken, "decoded_by": _EARLIER})
        batch.put_item(Item={**item(application, "d4", [1], port=99), **_OLD})
    for number in range(5):
        device = f"{application}/d{number}"
        listing.put_item(Item={KIND_KEY: kind_of(device), "device": device})
    said = host.lora_bridge("redecode", application, "--rate", "1000")
    assert counts(said) == {"decoded": 131, "no_codec": 1}
    rows = [*uplinks(table, f"{application}/d1")]
    assert len(rows) == 43
    for row in rows:
        data, reading = row["port101_bytes"], row["decoded"]
        assert isinstance(data, list)
        assert isinstance(reading, dict)
        assert reading["first"] == Decimal(str(data[0])) / 10
        assert row["decoded_by"] != _EARLIER
    (mended,) = uplinks(table, f"{application}/d3")
    assert "decoded" in mended
    assert "decode_error" not in mended
    (other,) = uplinks(table, f"{application}/d4")
    assert other["decoded"] == {"first": 99}
    assert counts(host.lora_bridge("redecode", application)) == {"unchanged": 131, "no_codec": 1}


def test_only_the_period(host: Host, table: str, application: str) -> None:
    """Uplinks before and after it stay as they are; none at all is said."""
    device = f"{application}/1"
    writer = boto3.resource("dynamodb").Table(table)
    for day in (1, 2, 3):
        image = item(application, "1", [day])
        writer.put_item(Item={**image, "timestamp": f"2026-11-0{day}T08:00:00.000000Z", **_OLD})
    said = host.lora_bridge("redecode", device, "--since", "2026-11-02", "--until", "2026-11-03")
    assert counts(said) == {"decoded": 1}
    done = subprocess.run(
        [*LORA_BRIDGE, "redecode", device, "--until", "2000-01-01"],
        env=host.aws.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == f"no uplinks of {device} between these times\n"


def test_progress_is_shown_on_a_terminal(host: Host, table: str, application: str) -> None:
    """How many were looked at, and how far, is written over itself there, beside the counts."""
    writer = boto3.resource("dynamodb").Table(table)
    for day in (1, 2):
        image = item(application, "1", [day])
        writer.put_item(Item={**image, "timestamp": f"2026-11-0{day}T08:00:00.000000Z", **_OLD})
    device = f"{application}/1"
    controller, terminal = pty.openpty()
    done = subprocess.run(
        [*LORA_BRIDGE, "redecode", device],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=host.aws.environment(),
        text=True,
        check=True,
    )
    os.close(terminal)
    said = os.read(controller, 65_536).decode()
    os.close(controller)
    assert said == (
        f"\r1 looked at, up to {device} 2026-11-01T08:00:00.000000Z "
        f"\r2 looked at, up to {device} 2026-11-02T08:00:00.000000Z \r\n"
    )
    assert counts(done.stdout) == {"decoded": 2}


def test_a_pair_keeps_its_reading(table: str, application: str) -> None:
    """The second bridge's row takes the place of a decoded one, and gets its reading."""
    image = item(application, "pair", [3])
    writer = boto3.resource("dynamodb").Table(table)
    writer.put_item(Item=image)
    first = decoded_row(table, str(image["device"]))
    marked = {**first, "decoded": {"kept": True}}  # tells it from one that is made anew
    writer.put_item(Item=marked)
    writer.put_item(Item=image)
    assert decoded_row(table, str(image["device"]))["decoded"] == {"kept": True}
