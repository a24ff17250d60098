"""The example for people who write their own subscribers, on a real broker."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.aws.cdk import PROJECT
from lab.rig.mosquitto import mosquitto
from lab.rig.servers import stop
from tests.console.store.test_live_broker import publish

pytestmark = pytest.mark.broker

_LIMIT = 30.0  # seconds
_SCRIPT = PROJECT / "docs" / "examples" / "consumer.py"


def test_programs_of_a_group_share_what_comes(tmp_path: Path) -> None:
    """Each uplink is printed by one of two programs, and both print some."""
    outputs = {each: tmp_path / f"{each}.txt" for each in ("client", "client.2")}
    with mosquitto(tmp_path) as broker, ExitStack() as stack:
        for client_id, output in outputs.items():
            with output.open("wb") as file:
                command = [sys.executable, str(_SCRIPT), "localhost", client_id, "archive"]
                command += ["--port", str(broker.port), "--root-ca", "ca.pem"]
                program = subprocess.Popen(command, stdout=file, cwd=tmp_path)
            stack.callback(stop, program)

        def uplink(seqno: int) -> None:
            publish(broker, "lora/a/d", b'{"seqno":%d}' % seqno)

        def printed() -> list[str]:
            return [line for each in outputs.values() for line in each.read_text().splitlines()]

        everyone = outputs.values()
        _until(lambda: all(each.read_text() for each in everyone), meanwhile=lambda: uplink(0))
        numbers = range(1, 21)
        for seqno in numbers:
            uplink(seqno)
        wanted = [f'lora/a/d {{"seqno":{seqno}}}' for seqno in numbers]
        _until(lambda: {*wanted} <= {*printed()})
        everything = printed()
    assert [everything.count(each) for each in wanted] == [1] * len(wanted)


def _until(done: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
    deadline = time.monotonic() + _LIMIT
    while not done():
        assert time.monotonic() < deadline
        meanwhile()
        time.sleep(0.05)
