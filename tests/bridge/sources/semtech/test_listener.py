"""Network servers can connect, and nothing they write closes the connection or is lost."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from bridge.clock import Clock
from bridge.config import Aws, Listen
from bridge.counts import Counts
from bridge.messages.downlink import Answer
from bridge.messages.message import Message
from bridge.messages.timestamper import Timestamper
from bridge.sources.forwarder import Forwarder
from bridge.sources.gaps import Gaps
from bridge.sources.semtech.listener import Listener
from contract.deployment import UNNAMED
from contract.errors import BridgeError
from tests.bridge.sources.semtech.frames import LAYOUT_1, LAYOUT_2, frame

AWS = Aws(
    endpoint="localhost",
    client_id="host-1",
    certificate=Path("host-1.pem"),
    private_key=Path("host-1.key"),
)


class Setting:
    """A source on a free port of the loopback, and what came through."""

    def __init__(
        self,
        application: str | None = None,
        max_connections: int = 100,
        penalty: float = 100,
        port: int = 0,
        ran_until: int | None = None,
    ) -> None:
        self.kept: list[Message] = []
        self.gaps: list[Message] = []
        self.answers: list[Answer] = []
        self.claims: list[str] = []
        self.counts = Counts()
        timestamper = Timestamper()
        clock = Clock(wall=lambda: time.time_ns() // 1000, monotonic=time.monotonic)
        forwarder = Forwarder(
            lambda message, _placement, _receipt=None: self.kept.append(message),
            lambda _rejected, _receipt=None: None,
            lambda answer, _receipt=None: self.answers.append(answer),
            timestamper,
            self.counts,
            clock,
            deployment=UNNAMED,
        )
        gaps = Gaps(
            lambda message, _placement, _receipt=None: self.gaps.append(message),
            timestamper,
            AWS,
            clock.wall,
        )
        listen = Listen(port=port, application=application, max_connections=max_connections)
        self.source = Listener(
            *([listen], forwarder, self.claims.append, gaps), penalty=penalty, ran_until=ran_until
        )

    def connect(self) -> socket.socket:
        """Connect as a network server does."""
        host, port = self.source.addresses()[0].split(":")
        return socket.create_connection((host, int(port)))

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(10):
            while not reached():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(setting: Setting) -> AsyncIterator[Setting]:
    """Have the setting's source listen meanwhile."""
    await setting.source.start()
    yield setting
    await setting.source.stop()


async def test_joined_frames_in_one_write() -> None:
    """Fifty frames in one write are fifty uplinks."""
    async with listening(Setting()) as setting:
        with setting.connect() as server:
            server.sendall((LAYOUT_1 + b"\0") * 50)
            await setting.until(lambda: len(setting.kept) == 50)


async def test_the_listeners_application_serves_frames_without_one() -> None:
    """A frame without appeui belongs to the application of its port."""
    async with listening(Setting(application="a1")) as setting:
        with setting.connect() as server:
            server.sendall(LAYOUT_2 + b"\0")
            await setting.until(lambda: len(setting.kept) == 1)
        assert setting.kept[0].topic == "lora/a1/9372163"


async def test_bad_input_never_closes_the_connection() -> None:
    """After every kind of bad input the same connection still serves."""
    async with listening(Setting()) as setting:
        with setting.connect() as server:
            for bad in (b"junk", b"\xff\xfe", b"[" * 60_000, b"x" * 200_000, b"[]", b"{}"):
                server.sendall(bad + b"\0" + frame() + b"\0")
            await setting.until(lambda: len(setting.kept) == 6)
        assert setting.counts.rejected.total() == 6


async def test_a_frame_cut_off_by_the_end_is_counted() -> None:
    """A connection that ends inside a frame costs that frame, and says so."""
    async with listening(Setting()) as setting:
        with setting.connect() as server:
            server.sendall(frame() + b"\0" + frame()[:10])
        await setting.until(lambda: setting.counts.received == 2)
        assert setting.counts.summary().endswith("(truncated: 1)")


async def test_an_earlier_run_ended_at_a_time_to_come() -> None:
    """The clock was set back since: the gap has no length, and is told all the same."""
    async with listening(Setting(ran_until=4_000_000_000_000_000)) as setting:
        (gap,) = setting.gaps
        event = json.loads(gap.payload)
        assert event["since"] == event["until"]


async def test_a_pause_holds_old_and_new_connections() -> None:
    """While paused nothing is read from anyone; afterwards everything is."""
    async with listening(Setting()) as setting:
        with setting.connect() as old:
            old.sendall(frame() + b"\0")
            await setting.until(lambda: len(setting.kept) == 1)
            setting.source.pause()
            with setting.connect() as new:
                for server in (old, new):
                    server.sendall(frame() + b"\0")
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await setting.until(lambda: len(setting.kept) > 1)
                setting.source.resume()
                await setting.until(lambda: len(setting.kept) == 3)


async def test_stopping_takes_what_has_arrived() -> None:
    """What a network server wrote before the stop is read, and then it is disconnected."""
    async with listening(Setting()) as setting:
        with setting.connect() as server:
            server.sendall(frame() + b"\0")
            await setting.until(lambda: len(setting.kept) == 1)
            server.sendall((frame() + b"\0") * 2000)
            await setting.source.stop()
            assert len(setting.kept) == 2001
            server.settimeout(10)
            assert server.recv(1) == b""


class Slow(list[Message]):
    """Holds the event loop up now and then, as a commit to a slow disk does."""

    def append(self, message: Message) -> None:
        """Keep a message."""
        super().append(message)
        if len(self) % 600 == 0:
            time.sleep(0.2)


async def test_stopping_takes_what_has_arrived_before_a_slow_disk() -> None:
    """The time that a commit takes is no silence of the network server."""
    async with listening(Setting()) as setting:
        setting.kept = Slow()
        with setting.connect() as server:
            server.sendall(LAYOUT_1 + b"\0")
            await setting.until(lambda: len(setting.kept) == 1)
            server.sendall((LAYOUT_1 + b"\0") * 2000)  # several reads
            await setting.source.stop()
            assert len(setting.kept) == 2001


async def test_stopping_takes_what_a_resting_connection_has() -> None:
    """Frames behind garbage are taken, though their connection rests for the garbage."""
    async with listening(Setting(penalty=10**9)) as setting:
        with setting.connect() as server:
            server.sendall(b"garbage\0")
            await setting.until(lambda: setting.counts.received == 1)
            server.sendall(LAYOUT_1 + b"\0")
            await setting.source.stop()
            assert len(setting.kept) == 1


async def test_a_flood_of_connections_displaces_no_network_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever has delivered stays, whoever is new gets in; of the others the oldest go."""
    caplog.set_level("INFO")

    async with listening(Setting(max_connections=10)) as setting:
        with ExitStack() as stack:
            old = stack.enter_context(setting.connect())
            old.sendall(frame(seqno=1) + b"\0")
            await setting.until(lambda: len(setting.kept) == 1)
            for number in range(300):
                bad = stack.enter_context(await asyncio.to_thread(setting.connect))
                with suppress(ConnectionError):  # it may have been closed already
                    bad.sendall((b"junk\0", frame()[:50], b"\0", b"")[number % 4])
            new = stack.enter_context(await asyncio.to_thread(setting.connect))
            for server in (old, new):
                server.sendall(frame(seqno=2) + b"\0")
            await setting.until(lambda: len(setting.kept) == 3)
            assert len(setting.source._connections) <= 10  # noqa: SLF001  # what is held
    assert caplog.text.count("more than max_connections = 10 to 127.0.0.1:0") == 1
    assert caplog.text.count(" connected") == 20


async def test_of_several_network_servers_the_longest_silent_goes() -> None:
    """When all have delivered, the one that did so longest ago makes room."""
    async with listening(Setting(max_connections=2)) as setting:
        with setting.connect() as first, setting.connect() as second:
            for count, server in enumerate((first, second, first), start=1):
                server.sendall(frame() + b"\0")
                await setting.until(lambda count=count: len(setting.kept) == count)  # type: ignore[misc]
            with setting.connect() as third:
                third.sendall(frame() + b"\0")
                await setting.until(lambda: len(setting.kept) == 4)
                second.settimeout(10)
                assert second.recv(1) == b""
                first.sendall(frame() + b"\0")
                await setting.until(lambda: len(setting.kept) == 5)


async def test_connections_are_kept_alive() -> None:
    """A network server that is gone without a word is noticed, by TCP keep-alive."""
    async with listening(Setting()) as setting:
        with setting.connect():
            await setting.until(lambda: len(setting.source._connections) == 1)  # noqa: SLF001
            (connection,) = setting.source._connections  # noqa: SLF001
            accepted = connection.transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


async def test_nobody_gets_in_after_the_stop() -> None:
    """A connection that was waiting to be accepted when the source stopped is not served."""
    async with listening(Setting()) as setting:
        with setting.connect() as late:
            late.sendall(frame() + b"\0")
            await setting.source.stop()
            late.settimeout(10)
            with suppress(ConnectionResetError):
                assert late.recv(1) == b""
        assert not setting.source._connections  # noqa: SLF001  # what is held


async def test_a_taken_port_is_one_clear_error() -> None:
    """Listening where something listens already names the address."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        source = Setting(port=port).source
        with pytest.raises(BridgeError, match=rf"cannot listen on 127\.0\.0\.1:{port}: "):
            await source.start()
