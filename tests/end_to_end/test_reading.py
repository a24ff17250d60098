"""History with readings, pictures and live uplinks, and the devices, on the local AWS."""

import csv
import json
import os
import pty
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import boto3
import pytest
from pyarrow import parquet

from console.store.devices import Listed, listed, summaries, table_names
from contract.deployment import UNNAMED
from contract.device_list import KIND_KEY, kind_of
from contract.times import format_time
from lab.aws.cdk import PROJECT
from lab.aws.host import Host
from lab.rig.errors import RigError
from lab.rig.running_bridge import LORA_BRIDGE, running_bridge
from tests.end_to_end.conftest import CONSUMER
from tests.end_to_end.test_decoder import decoded_row, frame
from tests.end_to_end.traffic import send, wait_for_rows

pytestmark = pytest.mark.aws

_HOUR = 3_600_000_000  # microseconds
_START = 1_790_000_000_000_000


@pytest.fixture
def device(table: str, application: str) -> str:
    """Store ten readings of a device, a second apart, every third seqno left out."""
    device = f"{application}/thermometer"
    with boto3.resource("dynamodb").Table(table).batch_writer() as batch:
        for number in range(10):
            batch.put_item(
                Item={
                    "device": device,
                    "timestamp": format_time(_START + number * 1_000_000),
                    "port1_bytes": [number],
                    "seqno": number + number // 2,
                    "gwrx": [{"rssi": -100 + number, "lsnr": Decimal("1.5")}],
                    "decoded": {"air": {"temperature": Decimal(number) / 4}, "on": True},
                }
            )
    return device


def test_readings_are_columns(host: Host, device: str, tmp_path: Path) -> None:
    """Decoded fields are there in every form, exact; --fields takes only some of them."""
    table = host.lora_bridge("history", device).splitlines()
    assert table[0].split()[-3:] == ["air.temperature", "on", "bytes"]
    assert table[1].split()[-3:] == ["2.25", "true", "09"]
    text = host.lora_bridge(
        *("history", device, "--format", "csv", "--fields", "air.temperature,seqno")
    )
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["air.temperature"] for row in rows][:3] == ["2.25", "2", "1.75"]
    assert set(rows[0]) == {"device", "timestamp", "air.temperature", "seqno"}
    whole = json.loads(host.lora_bridge("history", device, "--format", "json"))
    assert whole[0]["decoded"] == {"air": {"temperature": 2.25}, "on": True}
    path = tmp_path / "h.parquet"
    assert host.lora_bridge("history", device, "--format=parquet", "--output", str(path)) == ""
    assert parquet.read_table(path)["air.temperature"].to_pylist()[0] == 2.25
    path = tmp_path / "h.csv"
    assert host.lora_bridge("history", device, "--format=csv", "--output", str(path)) == ""
    assert len(path.read_text().splitlines()) == 11


@pytest.mark.parametrize(
    "arguments", [("--format=csv",), ("--format=parquet",), ("--plot=air.temperature",)]
)
def test_a_file_that_cannot_be_written_is_named(
    host: Host, device: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Whatever was to be written, the line says where."""
    path = tmp_path / "nowhere" / "h.png"
    with pytest.raises(RigError, match=f"lora-bridge: {path}: cannot write it: "):
        host.lora_bridge("history", device, *arguments, "--output", str(path))


def test_a_file_is_whole_or_not_there(
    host: Host, table: str, application: str, tmp_path: Path
) -> None:
    """An export that fails leaves what was there before, and nothing beside it."""
    device = f"{application}/odd"
    boto3.resource("dynamodb").Table(table).put_item(
        Item={"device": device, "timestamp": format_time(_START), "seqno": 2**63}
    )
    path = tmp_path / "h.parquet"
    path.write_text("before")
    with pytest.raises(RigError, match="lora-bridge: seqno is too large"):
        host.lora_bridge("history", device, "--format=parquet", "--output", str(path))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [(path.name, "before")]


def test_only_files_are_replaced(host: Host, device: str, tmp_path: Path) -> None:
    """A link leads to the new file, which is as private as the old; a pipe is written to."""
    csv_of = ("history", device, "--format=csv", "--output")
    expected = host.lora_bridge("history", device, "--format=csv")
    old, link, pipe = tmp_path / "old.csv", tmp_path / "link.csv", tmp_path / "pipe"
    old.touch(0o600)
    link.symlink_to(old)
    host.lora_bridge(*csv_of, str(link))
    assert (link.readlink(), old.read_text()) == (old, expected)
    assert old.stat().st_mode & 0o777 == 0o600
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as executor:
        reading = executor.submit(pipe.read_text)
        host.lora_bridge(*csv_of, str(pipe))
        assert reading.result(10) == expected
    assert pipe.is_fifo()
    for standard_output in ("-", "/dev/stdout"):
        assert host.lora_bridge(*csv_of, standard_output) == expected
    assert Path("/dev/stdout").is_symlink()
    assert host.lora_bridge(*csv_of, "/dev/null") == ""
    assert Path("/dev/null").is_char_device()


def test_a_field_is_drawn(host: Host, device: str, tmp_path: Path) -> None:
    """A chart goes to the terminal or the pipe, a picture into a file."""
    chart = host.lora_bridge("history", device, "--plot", "air.temperature")
    assert "air.temperature" in chart.splitlines()[0]
    assert len(chart.splitlines()) > 10
    path = tmp_path / "t.png"
    host.lora_bridge("history", device, "--plot", "air.temperature", "--output", str(path))
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_long_export_shows_its_progress(host: Host, device: str, tmp_path: Path) -> None:
    """On a terminal a bar runs to its end, beside the file and never in it."""
    controller, terminal = pty.openpty()
    path = tmp_path / "h.csv"
    command = [*LORA_BRIDGE, "history", device, "--format", "csv", "--output", str(path)]
    subprocess.run(command, stderr=terminal, env=host.aws.environment(), check=True)
    os.close(terminal)
    said = os.read(controller, 65_536).decode()
    os.close(controller)
    assert device in said
    assert "100%" in said
    assert len(path.read_text().splitlines()) == 11


def test_the_example_of_the_documents(table: str, application: str, host: Host) -> None:
    """The script for people who write their own consumers gives the mean of each day."""
    device = f"{application}/e"
    with boto3.resource("dynamodb").Table(table).batch_writer() as batch:
        for number, temperature in enumerate(("19.5", "20.25")):
            now = time.time_ns() // 1000 + number
            item = {"device": device, "timestamp": format_time(now)}
            batch.put_item(Item={**item, "decoded": {"temperature": Decimal(temperature)}})
    said = subprocess.run(
        [sys.executable, "docs/examples/readings.py", device],
        cwd=PROJECT,
        env=host.aws.environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.split()[1::2] == ["19.88"]


def test_live_uplinks_follow(
    host: Host, table: str, application: str, spool: dict[str, str]
) -> None:
    """--follow shows what is stored, then each uplink as it comes, with its reading."""
    device = f"{application}/f"
    config, port = host.configure("follow.toml", spool)
    command = [*LORA_BRIDGE, "history", device, "--follow", "--name", CONSUMER]
    command += ["--dir", str(host.folder), "--endpoint", "localhost", "--format", "csv"]
    command += ["--port", str(host.aws.mqtt_port), "--root-ca", str(host.aws.mqtt_ca)]
    with running_bridge(config) as bridge:
        bridge.says("ready: ")
        send(port, frame(application, "f", 101, b"\x0a"))
        decoded_row(table, device)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as following:
            assert following.stdout is not None
            header = following.stdout.readline().strip().split(",")
            assert "first" in header
            stored = following.stdout.readline().strip()
            send(port, frame(application, "f", 101, b"\x14"))
            live = following.stdout.readline().strip()
            following.send_signal(signal.SIGINT)
            following.wait()
    rows = [dict(zip(header, next(csv.reader([line])), strict=True)) for line in (stored, live)]
    assert [(row["device"], row["bytes"], row["first"]) for row in rows] == [
        (device, "0a", "1"),
        (device, "14", "2"),
    ]
    assert following.returncode == 0


def test_following_without_a_certificate_is_one_line(
    host: Host, device: str, tmp_path: Path
) -> None:
    """A consumer that is not enrolled is told what to do."""
    del host  # deployed
    command = [*LORA_BRIDGE, "history", device, "--follow", "--name", CONSUMER]
    done = subprocess.run(
        [*command, "--endpoint", "localhost", "--dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 1
    certificate = tmp_path / f"{CONSUMER}.pem"
    assert done.stderr == (
        f"lora-bridge: {certificate}: no such file: see 'lora-bridge enroll --help'\n"
    )


def test_devices(
    host: Host, table: str, application: str, device: str, spool: dict[str, str]
) -> None:
    """A device is listed once it has sent, with what came in the period and how well."""
    config, port = host.configure("devices.toml", spool)
    with running_bridge(config) as bridge:
        bridge.says("ready: ")
        frames = b"".join(frame(application, name, 101, b"\1") for name in ("n1", "n2", "n1"))
        send(port, frames)
        for name, count in (("n1", 2), ("n2", 1)):
            wait_for_rows(table, count, f"{application}/{name}")
            decoded_row(table, f"{application}/{name}")
    said = host.lora_bridge("devices", "--application", application, "--since", "1h").splitlines()
    assert said[0].split() == ["device", "last", "uplinks", "missing", "rssi", "lsnr"]
    names = [f"{application}/{name}" for name in ("n1", "n2", "thermometer")]
    assert [line.split()[0] for line in said[1:]] == names
    assert [line.split()[2] for line in said[1:]] == ["2", "1", "0"]
    seen = host.lora_bridge("devices", "--application", application).splitlines()
    assert seen[0].split() == ["device", "last_seen"]
    assert [line.split()[0] for line in seen[1:]] == names
    everyone = json.loads(host.lora_bridge("devices", "--format", "json"))
    assert {f"{application}/n1", f"{application}/n2"} <= {each["device"] for each in everyone}
    uplinks, devices = table_names(UNNAMED)
    assert list(listed(devices, f"{application[:-1]}")) == []
    last = format_time(_START + 9_000_000)
    (old,) = summaries(uplinks, [Listed(device, last)], _START + 8_500_000)
    assert (old.uplinks, old.missing, old.rssi) == (1, 0, -91)
    (older,) = summaries(uplinks, [Listed(device, last)], _START + 4 * _HOUR)
    assert (older.uplinks, older.last) == (0, last)
    (all_of_it,) = summaries(uplinks, [Listed(device, None)], 0)
    assert (all_of_it.uplinks, all_of_it.missing) == (10, 4)


def test_a_device_that_has_never_reported(host: Host, device: str) -> None:
    """It is an error that names some that have; a known one without uplinks is none."""
    boto3.resource("dynamodb").Table(table_names(UNNAMED)[1]).put_item(
        Item={KIND_KEY: kind_of(device), "device": device}
    )
    with pytest.raises(RigError, match=r"x/y has never reported; these have: \w+/\w+"):
        host.lora_bridge("history", "x/y")
    application, _, name = device.partition("/")
    assert "seqno" in host.lora_bridge("history", f"{application.upper()}/{name}")
    said = subprocess.run(
        [*LORA_BRIDGE, "history", device, "--until", "2000-01-01"],
        env=host.aws.environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    assert said == f"no uplinks of {device} are stored until 2000-01-01T00:00:00.000000Z\n"
