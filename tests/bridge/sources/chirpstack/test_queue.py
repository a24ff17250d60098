"""A gRPC server as ChirpStack's is asked for a device's queue, and whatever it does is survived."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import msgspec
import pytest
from chirpstack_api import api

from bridge.clock import Clock
from bridge.config import Aws, ChirpStack, ChirpStackApi
from bridge.counts import Counts
from bridge.messages.downlink import Downlink
from bridge.messages.timestamper import Timestamper
from bridge.sources.chirpstack import queue
from bridge.sources.chirpstack.queue import ApiQueue
from bridge.sources.chirpstack.server import ChirpStackServer
from bridge.sources.forwarder import Forwarder
from bridge.sources.gaps import Gaps
from contract.deployment import UNNAMED
from contract.downlinks import Request
from contract.errors import BridgeError
from lab.rig.certificates import make_certificates
from lab.rig.servers import free_ports

DEVICE, ITEM = "70b3d57ed0aa0012", "2f6c1a52-5a9c-4b93-8d1e-3f4f6a2e9b10"
AWS = Aws(endpoint="localhost", client_id="host-1", certificate=Path("c"), private_key=Path("k"))
TOKEN = "eyJ0eXAi.secret"  # noqa: S105  # of nobody


@dataclass
class Api(api.DeviceServiceServicer):  # type: ignore[misc, explicit-any]  # ships no types
    """The part of ChirpStack's API that is asked. It answers when ``answers`` is set."""

    items: list[str] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def GetQueue(  # noqa: N802  # its name there
        self, request: api.GetDeviceQueueItemsRequest, context: grpc.ServicerContext
    ) -> api.GetDeviceQueueItemsResponse:
        """Return the queue to who has the key, the first of it pending."""
        self.asked.append(request.dev_eui)
        self.answers.wait(10)
        if ("authorization", f"Bearer {TOKEN}") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "invalid token")
        found = [
            api.DeviceQueueItem(id=each, is_pending=number == 0)
            for number, each in enumerate(self.items)
        ]
        return api.GetDeviceQueueItemsResponse(total_count=len(found), result=found)


@contextmanager
def serving(
    served: Api, port: int = 0, credentials: grpc.ServerCredentials | None = None
) -> Iterator[int]:
    """Run it on a port of the loopback."""
    with ThreadPoolExecutor(2, "server") as threads:
        server = grpc.server(threads)
        api.add_DeviceServiceServicer_to_server(served, server)
        address = f"localhost:{port}"
        bound = (
            server.add_secure_port(address, credentials)
            if credentials
            else server.add_insecure_port(address)
        )
        server.start()
        try:
            yield bound
        finally:
            served.answers.set()
            server.stop(None).wait()


@pytest.fixture
def served() -> Api:
    """Have an API that answers."""
    served = Api()
    served.answers.set()
    return served


@pytest.fixture
def port(served: Api) -> Iterator[int]:
    """Serve it."""
    with serving(served) as port:
        yield port


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """Write the key that the API takes."""
    return _key(tmp_path, TOKEN)


def _key(folder: Path, token: str) -> Path:
    """Write a key, as people do: with a line feed."""
    file = folder / "api-key"
    file.write_text(f"{token}\n")
    return file


@asynccontextmanager
async def asking(
    server: str,
    token_file: Path,
    hearing: Callable[[], bool] = lambda: True,
    now: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[ApiQueue]:
    """Have what asks."""
    made = ApiQueue(ChirpStackApi(server=server, token_file=token_file), hearing, now)
    yield made
    await made.stop()


@pytest.mark.parametrize("form", ["localhost:{}", "http://localhost:{}", "http://localhost:{}/"])
async def test_what_is_queued(served: Api, port: int, token_file: Path, form: str) -> None:
    """It is there, pending or not, among others; the device is named as ChirpStack does."""
    async with asking(form.format(port), token_file) as made:
        for served.items in ([ITEM], [ITEM, "other"], ["other", ITEM]):
            assert await made.has(DEVICE, ITEM) is True
    assert served.asked == [DEVICE] * 3


async def test_what_is_not_queued(served: Api, port: int, token_file: Path) -> None:
    """Neither in an empty queue, nor beside others."""
    async with asking(f"localhost:{port}", token_file) as made:
        for served.items in ([], ["other"]):
            assert await made.has(DEVICE, ITEM) is False


async def test_while_no_events_come(served: Api, port: int, token_file: Path) -> None:
    """What has left the queue may be told by an event that waits; what is there is there."""
    async with asking(f"localhost:{port}", token_file, hearing=lambda: False) as made:
        assert await made.has(DEVICE, ITEM) is None
        served.items = [ITEM]
        assert await made.has(DEVICE, ITEM) is True


async def test_a_wrong_token(port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody can tell; it is said once a minute, with the remedy and without the token."""
    token_file = _key(tmp_path, "eyJ0eXAi.wrong")
    time = 0.0
    async with asking(f"localhost:{port}", token_file, now=lambda: time) as made:
        for time in (0.0, 59.0, 60.0):  # noqa: B007  # the clock
            assert await made.has(DEVICE, ITEM) is None
    assert caplog.messages == [
        f"ChirpStack's API localhost:{port} does not tell of its queue: UNAUTHENTICATED:"
        f" invalid token: check that token_file has an API key which may see this device{more}"
        for more in ("", " (and 1 more before)")
    ]
    assert "wrong" not in caplog.text


async def test_not_reachable(
    served: Api, token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody can tell until it is there; where it is looked for is said."""
    (port,) = free_ports(1)
    async with asking(f"localhost:{port}", token_file) as made:
        assert await made.has(DEVICE, ITEM) is None
        (message,) = caplog.messages
        assert "UNAVAILABLE" in message
        assert message.endswith("check server, whether it has TLS, and that ChirpStack runs")
        with serving(served, port):
            async with asyncio.timeout(10):
                while await made.has(DEVICE, ITEM) is None:
                    await asyncio.sleep(0.05)


async def test_a_slow_answer(
    served: Api,
    port: int,
    token_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is not waited for long, and then not asked for half a minute."""
    monkeypatch.setattr(queue, "_TIMEOUT", 0.05)
    served.answers.clear()
    time = 0.0
    async with asking(f"localhost:{port}", token_file, now=lambda: time) as made:
        assert await made.has(DEVICE, ITEM) is None
        assert "DEADLINE_EXCEEDED" in caplog.text
        served.answers.set()
        monkeypatch.undo()
        time = 29.0
        assert await made.has(DEVICE, ITEM) is None
        assert len(served.asked) == 1
        time = 30.0
        assert await made.has(DEVICE, ITEM) is False


async def test_the_end_while_it_is_asked(served: Api, port: int, token_file: Path) -> None:
    """Who asks is cancelled, and nobody can tell afterwards."""
    served.answers.clear()
    async with asking(f"localhost:{port}", token_file) as made:
        question = asyncio.create_task(made.has(DEVICE, ITEM))
        async with asyncio.timeout(10):
            while not served.asked:
                await asyncio.sleep(0.01)
        await made.stop()
        with pytest.raises(asyncio.CancelledError):
            await question
        assert await made.has(DEVICE, ITEM) is None


def test_no_thread_outlives_it(port: int, token_file: Path) -> None:
    """The process can end."""

    async def ask() -> None:
        async with asking(f"localhost:{port}", token_file) as made:
            assert await made.has(DEVICE, ITEM) is False

    before = {*threading.enumerate()}
    asyncio.run(ask())
    left = {*threading.enumerate()} - before
    assert not [each.name for each in left if not each.name.startswith("server")]


async def test_tls(
    tmp_path: Path, token_file: Path, served: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's certificate is verified by the system's CAs."""
    make_certificates(tmp_path)
    files = [(tmp_path / f"server.{kind}").read_bytes() for kind in ("key", "pem")]
    served.items = [ITEM]
    with serving(served, credentials=grpc.ssl_server_credentials([tuple(files)])) as port:
        async with asking(f"https://localhost:{port}", token_file) as made:
            assert await made.has(DEVICE, ITEM) is None
        assert served.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        async with asking(f"https://localhost:{port}", token_file) as made:
            assert await made.has(DEVICE, ITEM) is True


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory: see token_file in bridge.toml"),
        (b"", "the first line must be an API key"),
        (b"\nlater", "the first line must be an API key"),
        (b"a\x00b", "the first line must be an API key"),
        ("schlüssel".encode(), "not an API key"),
    ],
)
def test_a_token_that_cannot_be_used(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """It is an error at the start that names the file, and does not show what is in it."""
    file = tmp_path / "api-key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BridgeError, match=reason) as raised:
        ApiQueue(ChirpStackApi(server="localhost:1", token_file=file), lambda: True)
    assert str(raised.value).startswith(f"{file}: ")


def server(settings: ChirpStack) -> ChirpStackServer:
    """Return a server that is not started."""
    clock = Clock(wall=lambda: 0, monotonic=lambda: 0.0)
    forwarder = Forwarder(
        lambda _message, _placement, _receipt=None: None,
        lambda _rejected, _receipt=None: None,
        lambda _answer, _receipt=None: None,
        Timestamper(),
        Counts(),
        clock,
        deployment=UNNAMED,
    )
    gaps = Gaps(lambda *_: None, Timestamper(), AWS, clock.wall)
    return ChirpStackServer(
        *(settings, "host-1", forwarder, gaps, [], lambda *_: None), others=False, downlinks=True
    )


async def test_a_server_with_an_api(served: Api, port: int, token_file: Path) -> None:
    """Its sender asks it; that an item is missing counts only while events come."""
    settings = ChirpStackApi(server=f"localhost:{port}", token_file=token_file)
    made = server(ChirpStack(api=settings))
    downlink = Downlink.of(Request("a", 1, b""), 1, f"a1/{DEVICE}", expires=0, now=0)
    downlink = msgspec.structs.replace(downlink, reference=ITEM)
    assert await made.sender.is_queued(downlink) is None
    served.items = [ITEM]
    assert await made.sender.is_queued(downlink) is True
    await made.stop()
    assert await made.sender.is_queued(downlink) is None


async def test_without_the_library(token_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who configures the API is told in a line what to install."""
    monkeypatch.delitem(sys.modules, queue.__name__)
    monkeypatch.setitem(sys.modules, "grpc", None)
    settings = ChirpStack(api=ChirpStackApi(server="localhost:1", token_file=token_file))
    with pytest.raises(BridgeError, match=r"grpc.*: run pip install '\.\[chirpstack\]'$"):
        server(settings)


def test_without_an_api_nothing_is_loaded() -> None:
    """Who does not configure it need not have the libraries."""
    program = "import bridge.service, sys; sys.exit('grpc' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
