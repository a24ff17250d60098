"""What README.md and docs/reading.md teach can be rehearsed in the demo that is kept running."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.aws.cdk import PROJECT
from tests.taught import commands, taught

pytestmark = pytest.mark.aws

DOCUMENTS = ("README.md", "docs/reading.md")
DEVICE = "37817737f13/9372163"
_HOST = "….iot.us-east-1.amazonaws.com"
_SUBSCRIBE = f"mosquitto_sub -h {_HOST} -p 8883"
_PAIR = "--cert reader.pem --key reader.key --capath /etc/ssl/certs"
NOT_HERE = {
    "make demo": "it is what runs",
    "make test": "this is part of it",
    "make setup && . .venv/bin/activate": "without it there is no demo",
    "lora-bridge keygen --name network-host-1": "the demo has made it; no key is overwritten",
    "lora-bridge keygen --name reader": "the demo has made it; no key is overwritten",
    """printf '[bridges]\\nnetwork-host-1 = "network-host-1.csr"\\n' > lora.toml""": (
        "the demo has written its own"
    ),
    "npx cdk bootstrap && npx cdk deploy --all": "the demo's own line is below",
    "npx cdk deploy --all": "the same",
    **dict.fromkeys(
        (
            f"{_SUBSCRIBE} -i reader -q 1 -t '$share/archive/lora/+/+' {_PAIR}",
            f"{_SUBSCRIBE} -i reader.2 -q 1 -t '$share/archive/lora/+/+' {_PAIR}",
            f"python docs/examples/consumer.py {_HOST} reader archive",
            f"python docs/examples/consumer.py {_HOST} reader.2 archive",
        ),
        "the local AWS delivers nothing to shared subscriptions; tests/docs tries it on a broker",
    ),
    "lora-bridge web --open": "the demo serves the pages; tests/console/web opens them",
    "lora-bridge run --config bridge.toml": "the demo runs it; two would want one spool",
    "app server add 37817737f13 127.0.0.1:6500 active user motetx gwrx joinmonitor": (
        "a command of Semtech's server, not of a shell"
    ),
}
HISTORY = "lora-bridge history 37817737f13/9372163"
ANSWERS = {
    "lora-bridge enroll --name network-host-1": r"^network-host-1\.pem: the certificate of bridge",
    "lora-bridge enroll --name reader": r"^reader\.pem: the certificate of consumer reader$",
    "lora-bridge check": r"^✓ role: \S+ may dynamodb:PutItem",
    "lora-bridge devices --since 7d": rf"^{DEVICE} +20\S+Z +\d\d +0 +-\d\d +\d",
    "lora-bridge devices": rf"^{DEVICE} +20\S+Z$",
    "lora-bridge devices --silent": r"^no device is silent$",
    "lora-bridge redecode APPEUI --since 7d": r"^decoded=0 error=0 unchanged=\d+ .* left=0$",
    "lora-bridge events APPEUI/MOTEEUI --since 7d": (
        r"^20\S+Z downlink [a-z]+-[a-z]+ +acknowledged +1"
    ),
    "lora-bridge errors redrive": r"^redriven=0 left=0 hidden=0$",
    "lora-bridge history APPEUI/MOTEEUI --since 7d --plot temperature": r"^ +temperature\n┌─+┐$",
    f"{HISTORY} --since 7d": r"^timestamp .* humidity +bytes\n(20.*\n)*20.* 06c333$",
    f"{HISTORY} --since 7d --fields temperature,battery.volts": r"^20\S+ +17.31$",
    f"{HISTORY} --since 7d --plot temperature --output week.png": r"",
    f"{HISTORY} --since 2026-11-01 --until 2026-11-08T12:00Z --format csv": r"^device,timestamp,",
    f"{HISTORY} --since 2h --format json | jq '.[].port1_bytes'": r"^\[\n  6,\n  195,\n  51\n\]$",
    f"{HISTORY} --format parquet --output all.parquet": r"",
}
LIVE = {
    "lora-bridge history APPEUI/MOTEEUI --follow --name reader": r"^(20\S+Z) .* 17.31 +51 06c333$",
    f"{HISTORY} --follow --name reader": r"^(20\S+Z) .* 17.31 +51 06c333$",
    f"{_SUBSCRIBE} -i reader -t 'lora/#' -v {_PAIR}": (
        rf'^lora/{DEVICE} {{"port1_bytes":\[6,195,51\],"timestamp":"(20\S+Z)"'
    ),
}
"""Each shows an uplink, with its time, as it comes."""
SENT = {
    "lora-bridge send APPEUI/MOTEEUI --port 10 010f --confirmed --wait 60s": (
        r"^acknowledged: the device has confirmed it$"
    ),
}
"""Each sends a downlink, which a simulated network server takes."""
MAGIC = {".png": b"\x89PNG", ".parquet": b"PAR1"}
PLACE = r" (-h|-p|--cafile|--capath|--endpoint|--port|--root-ca) \S+"  # of AWS IoT, and its CA
PROGRAMS = {"jq", "mosquitto_pub", "mosquitto_sub", "nc"}  # of which make setup installs none
START, LIMIT = 180.0, 60.0  # seconds


def anywhere(command: str) -> set[str]:
    """Return the words of a command about this device, without where AWS IoT is."""
    return set(re.sub(PLACE, "", command.replace("APPEUI/MOTEEUI", DEVICE)).split())


@dataclass(frozen=True)
class Demo:
    """A demo that is kept running, and what it prints for other terminals."""

    printed: str

    @property
    def preamble(self) -> str:
        """What to type in each terminal first."""
        (lines,) = re.findall(
            r"^In other terminals:\n(.*?)\n\n\S", self.printed, re.MULTILINE | re.DOTALL
        )
        return "\n".join(commands(lines)) + "\n"

    @property
    def folder(self) -> Path:
        """Where it has its keys."""
        return Path(re.findall(r"^cd (.+)$", self.preamble, re.MULTILINE)[0])

    def command(self, words: str) -> str:
        """Return the printed command that has these words, whole: a path may hold them, too."""
        (found,) = [each for each in commands(self.printed) if f" {words} " in f" {each} "]
        return found

    def start(self, command: str, output: Path) -> "subprocess.Popen[bytes]":
        """Start a command in a terminal of its own, or skip the test where a program is missing."""
        for program in PROGRAMS.intersection(command.split()):
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed")
        shell = ["bash", "-o", "pipefail", "-c", f"{self.preamble}{command}"]
        with output.open("wb") as file:
            return subprocess.Popen(shell, env=bare(), stdout=file, stderr=subprocess.STDOUT)

    def run(self, command: str, output: Path) -> str:
        """Run a command to its good end; return what it prints."""
        status = self.start(command, output).wait(LIMIT)
        assert status == 0, output.read_text()
        return output.read_text()


def bare() -> dict[str, str]:
    """Return this process's environment without the settings that lead to another AWS."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def wait_for(output: Path, words: str, process: "subprocess.Popen[bytes]", limit: float) -> None:
    """Wait until a process that goes on has said this."""
    deadline = time.monotonic() + limit
    while words not in output.read_text():
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.1)


@contextmanager
def kept_demo(output: Path, uplink: str, *options: str) -> Iterator[Demo]:
    """Run the demo until it says what to type; send the ``uplink`` it names, and see it decoded."""
    command = [sys.executable, "-m", "lab.demo", "--keep", *options]
    with output.open("wb") as file:
        process = subprocess.Popen(command, cwd=PROJECT, env=bare(), stdout=file)
    try:
        wait_for(output, "npx cdk deploy --all", process, START)
        demo = Demo(output.read_text().partition("acknowledged=1\n")[2])
        answer = output.with_name("answer")
        demo.run(demo.command(uplink), answer)
        newest = demo.command("--since").replace("--since 10m", "--limit 1")
        deadline = time.monotonic() + LIMIT
        while "17.31" not in demo.run(newest, answer):
            assert time.monotonic() < deadline, answer.read_text()
        yield demo
    finally:
        process.terminate()
        status = process.wait(LIMIT)
    assert status == 0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Keep the demo running."""
    with kept_demo(tmp_path_factory.mktemp("demo") / "output", "nc -N") as demo:
        yield demo


def test_every_line_is_rehearsed_or_not_for_a_reason() -> None:
    """What the documents teach is in these tests, and nothing else is."""
    assert {*NOT_HERE, *ANSWERS, *LIVE, *SENT} == set(taught(*DOCUMENTS))


@pytest.mark.parametrize(
    "words", ["nc -N", "simulate", "check", "--silent", "--since", "npx cdk deploy"]
)
def test_what_the_demo_prints(demo: Demo, tmp_path: Path, words: str) -> None:
    """Each command that the demo itself names works as it is printed."""
    demo.run(demo.command(words), tmp_path / "output")


@pytest.mark.parametrize("line", ANSWERS)
def test_what_is_taught(demo: Demo, tmp_path: Path, line: str) -> None:
    """A line succeeds as it is written, but for names, and answers what it should."""
    typed = line.replace("APPEUI/MOTEEUI", DEVICE).replace("APPEUI", DEVICE.partition("/")[0])
    said = demo.run(typed, tmp_path / "output")
    assert re.search(ANSWERS[line], said, re.MULTILINE), said
    for name in re.findall(r"--output (\S+)", line):
        assert (demo.folder / name).read_bytes().startswith(MAGIC[Path(name).suffix])


def test_the_pages_that_the_demo_prints(demo: Demo, tmp_path: Path) -> None:
    """They start again as it is printed."""
    output = tmp_path / "output"
    process = demo.start(f"exec {demo.command('lora-bridge web')} --port 0", output)
    try:
        wait_for(output, "token=", process, LIMIT)
    finally:
        process.terminate()
        process.wait(LIMIT)


@pytest.mark.parametrize("line", SENT)
def test_what_is_taught_of_downlinks(demo: Demo, tmp_path: Path, line: str) -> None:
    """A line succeeds while a network is simulated, and is what the demo itself prints."""
    (printed,) = [each for each in commands(demo.printed) if anywhere(each) == anywhere(line)]
    simulate, _, _ = demo.command("simulate").partition(" --count")
    simulation = demo.start(f"exec {simulate} --rate 1", tmp_path / "simulation")
    try:
        said = demo.run(printed, tmp_path / "output")
    finally:
        simulation.terminate()
        simulation.wait(LIMIT)
    assert re.search(SENT[line], said, re.MULTILINE), said


@pytest.mark.parametrize("line", LIVE)
def test_what_is_taught_of_live_uplinks(demo: Demo, tmp_path: Path, line: str) -> None:
    """A line that goes on shows an uplink that comes; the demo prints it with where AWS IoT is."""
    output = tmp_path / "output"
    (printed,) = [each for each in commands(demo.printed) if anywhere(each) == anywhere(line)]
    started = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    process = demo.start(f"exec {printed}", output)
    try:
        deadline = time.monotonic() + LIMIT
        while max(re.findall(LIVE[line], output.read_text(), re.MULTILINE), default="") < started:
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            demo.run(demo.command("nc -N"), tmp_path / "sent")
    finally:
        process.terminate()
        process.wait(LIMIT)
