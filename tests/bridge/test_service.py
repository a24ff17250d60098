"""The bridge as systemd runs it."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.config import load
from bridge.messages.message import Message
from bridge.service import _log_of_loop, serve
from bridge.sources.semtech.listener import Listener
from bridge.spool.batch import Batch
from bridge.spool.spool import Spool
from bridge.spool.waiting import Waiting
from contract.errors import BridgeError
from lab.rig.running_bridge import running_bridge
from lab.soak.site import Settings, Site, site
from tests.bridge.sources.semtech.frames import frame

pytestmark = pytest.mark.broker

_LIMIT = 30.0  # seconds


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """Prepare what a bridge needs."""
    with site(tmp_path) as found:
        yield found


@pytest.fixture
def systemd(place: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Listen as systemd does, with a watchdog; to the bridge, and not to the broker."""
    address = place.config.with_name("notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(address))
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(address))
        listening.settimeout(_LIMIT)
        yield listening


def test_systemd_hears_the_whole_life(place: Site, systemd: socket.socket) -> None:
    """Ready before AWS IoT is there, then signs of life with what was done, and the end."""
    place.link.close()
    with running_bridge(place.config) as bridge:
        first = systemd.recv(4096).decode().splitlines()
        assert first[0] == "READY=1"
        assert first[1].startswith("STATUS=not connected as soak: received=0 ")
        with socket.create_connection(("127.0.0.1", place.port)) as server:
            server.sendall(frame() + b"\0")
        place.link.open()
        alive: list[str] = []
        while not alive or "STATUS=ready: received=1 accepted=1" not in alive[-1]:
            alive.append(systemd.recv(4096).decode())
        assert all(each.endswith("\nWATCHDOG=1") for each in alive)
        bridge.stop()
    heard = alive[-1]
    while heard != "STOPPING=1":
        heard = systemd.recv(4096).decode()


def test_systemd_hears_of_a_spool_that_is_mended(place: Site, systemd: socket.socket) -> None:
    """It feeds the watchdog meanwhile, since a large spool may take longer than that waits."""
    with Spool(place.spool) as spool:
        spool.commit(Batch([Waiting.of(1, Message("lora/a/d", b"{}"))], [], [], []))
    with place.spool.open("r+b") as file:
        file.write(b"\xff" * 100)
    with running_bridge(place.config):
        assert systemd.recv(4096) == b"STATUS=mending the spool\nWATCHDOG=1"


async def test_what_came_is_kept_when_the_start_fails(
    place: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames that came to an address are on disk, though the next cannot be listened on."""
    real = Listener.start

    async def start(source: Listener) -> None:
        await real(source)
        _, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(frame() + b"\0")
        while not source.read_at:
            await asyncio.sleep(0)
        writer.close()
        raise BridgeError("cannot listen")

    monkeypatch.setattr(Listener, "start", start)
    with pytest.raises(BridgeError, match="cannot listen"):
        await serve(load(place.config))
    with Spool(place.spool) as spool:
        assert spool.count_waiting()[0] == 1


async def test_nobody_listens_where_http_cannot_be_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network server finds no bridge that takes its frames and ends."""
    started: list[Listener] = []

    async def start(source: Listener) -> None:
        started.append(source)

    monkeypatch.setattr(Listener, "start", start)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings: Settings = {"http": {"port": taken.getsockname()[1]}}
        with site(tmp_path, settings) as other, pytest.raises(BridgeError, match=r"\[http\]"):
            await serve(load(other.config))
    assert started == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_with_all_published(place: Site, number: signal.Signals) -> None:
    """A terminal that is closed ends it as the system does."""
    with running_bridge(place.config) as bridge:
        bridge.says("ready: ")
        with socket.create_connection(("127.0.0.1", place.port)) as server:
            server.sendall(frame() + b"\0")
            bridge.process.send_signal(number)
            assert bridge.process.wait(30) == 0
        assert "published=1" in bridge.log
        assert "left=0" in bridge.log


def test_errors_of_the_event_loop_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Too many open files, for example, would fill the log otherwise."""
    handle = _log_of_loop()
    loop = asyncio.new_event_loop()
    for _ in range(1000):
        handle(loop, {"message": "socket.accept()", "exception": OSError("Too many open files")})
    loop.close()
    assert caplog.messages == ["event loop: socket.accept(): OSError('Too many open files')"]
