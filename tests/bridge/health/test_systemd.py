"""systemd hears how the bridge does, and stops hearing when something is stuck."""

import asyncio
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from bridge.aws_iot.lane import Lane
from bridge.aws_iot.refused import RefusedMessages
from bridge.config import Aws
from bridge.counts import Counts
from bridge.health.systemd import Systemd, report
from bridge.messages.message import Message
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Share, Waiting
from bridge.timings import Timings
from lab.rig.certificates import make_certificates

UNIT = Path(__file__).parents[3] / "deploy" / "lora-bridge.service"
MICROSECONDS = "100000"  # of the watchdog: it is fed every 50 ms


@pytest.fixture(params=["path", "abstract"])
def heard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """Listen as systemd does: the address as it is in the environment, and the socket."""
    path = str(tmp_path / "notify")
    address, shown = (path, path) if request.param == "path" else ("\0" + path, "@" + path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address)
        listening.settimeout(10)
        yield shown, listening


async def speak(environment: dict[str, str], stuck_after: int, turns: int) -> None:
    """Report for so many looks at what is stuck, which something is after ``stuck_after``."""
    looks = 0

    def stuck() -> list[str]:
        nonlocal looks
        looks += 1
        if looks > turns:
            raise EOFError
        return ["network-host-1"] if looks > stuck_after else []

    with pytest.raises(EOFError):
        await report(Systemd(environment), lambda: "ready", stuck)


def everything(listening: socket.socket) -> list[str]:
    """Return what has been heard."""
    listening.settimeout(0)
    found = []
    while True:
        try:
            found.append(listening.recv(4096).decode())
        except BlockingIOError:
            return found


async def test_the_watchdog_is_fed_until_something_is_stuck(
    heard: tuple[str, socket.socket],
) -> None:
    """Ready comes first, then a sign of life twice in the watchdog's time, until one is missing."""
    address, listening = heard
    await speak({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": MICROSECONDS}, stuck_after=2, turns=5)
    alive = "STATUS=ready\nWATCHDOG=1"
    assert everything(listening) == ["READY=1\nSTATUS=ready", alive, alive]


def test_a_watchdog_of_another_process_is_not_fed(heard: tuple[str, socket.socket]) -> None:
    """Its environment may come from a parent; what the status is, is said all the same."""
    address, listening = heard
    environment = {"WATCHDOG_USEC": MICROSECONDS, "WATCHDOG_PID": str(os.getpid() + 1)}
    systemd = Systemd({"NOTIFY_SOCKET": address, **environment})
    assert systemd.interval == 10
    systemd.alive("ready")
    systemd.stopping()
    assert everything(listening) == ["STATUS=ready", "STOPPING=1"]


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_without_systemd_nobody_is_told(environment: dict[str, str]) -> None:
    """A bridge that somebody starts by hand, or whose systemd is gone, just runs."""
    Systemd(environment).ready("ready")


@pytest.mark.parametrize(("max_backoff", "stuck_after"), [(10, 120), (300, 600)])
async def test_silence_while_answers_are_due_is_stuck(
    tmp_path: Path, max_backoff: int, stuck_after: float
) -> None:
    """It is stuck when the SDK owes an answer and says nothing, not even that it cannot connect."""
    make_certificates(tmp_path)
    aws = Aws(
        endpoint="localhost",
        client_id="a",
        certificate=tmp_path / "client.pem",
        private_key=tmp_path / "client.key",
        max_backoff=max_backoff,
    )
    with Spool(tmp_path / "spool.db") as spool:
        spooler = Spooler(spool, 1_000_000)
        refused = RefusedMessages(spooler, lambda _messages: None, Timings())
        lane = Lane(aws, Share(0, 1), spooler, refused, Counts(), Timings())
        loop = asyncio.get_running_loop()
        now, seen = loop.time(), []
        loop.time = lambda: now + stuck_after + 1  # type: ignore[method-assign]
        seen.append(lane.stuck)
        lane._window.open()  # never connected, the SDK will not answer
        lane._window.add([Waiting.of(1, Message("lora/a/d", b"{}"))])
        seen.append(lane.stuck)
        loop.time = lambda: now + stuck_after - 1  # type: ignore[method-assign]
        seen.append(lane.stuck)
        loop.time = lambda: now + stuck_after + 1  # type: ignore[method-assign]
        lane._on_lost("no connection")
        seen.append(lane.stuck)
        spooler.close()
    assert seen == [False, True, False, False]


_ANALYZE = which("systemd-analyze") or ""


@pytest.mark.skipif(
    not _ANALYZE,
    reason="systemd-analyze is missing: on Debian and Ubuntu, 'apt-get install systemd' brings it",
)
def test_the_unit_is_hardened() -> None:
    """Systemd itself rates the unit OK or better, and finds no mistake in it."""
    rated = subprocess.run(
        [_ANALYZE, "security", "--offline=true", "--no-pager", UNIT],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    exposure = re.search(r"Overall exposure level for lora-bridge\.service: ([0-9.]+)", rated)
    assert exposure, rated
    assert float(exposure[1]) < 2
    checked = subprocess.run(
        [_ANALYZE, "verify", UNIT], capture_output=True, text=True, check=False
    ).stderr
    found = [line for line in checked.splitlines() if "lora-bridge" in line]
    assert all("/opt/lora-bridge/bin/lora-bridge is not executable" in line for line in found)
