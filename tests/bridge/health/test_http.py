"""Health and metrics are served to whoever asks well, and nobody else costs anything."""

import asyncio
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress

import pytest

from bridge.config import Http
from bridge.health import http
from bridge.health.http import Health
from contract.errors import BridgeError


async def served(
    client: Callable[[str], object],
    *reasons: str,
    metrics: bytes = b"metric 1\n",
    patience: float = 10,
) -> object:
    """Serve, and return what a client, on a thread of its own, makes of the address."""
    server = Health(Http(port=0), lambda: list(reasons), lambda: metrics, patience)
    address = await server.start()
    try:
        return await asyncio.to_thread(client, address)
    finally:
        server.stop()


def get(path: str, method: str = "GET") -> Callable[[str], object]:
    """Return a client that asks for a path: status, content type, and text."""

    def client(address: str) -> object:
        request = urllib.request.Request(f"http://{address}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                kind = answer.headers["Content-Type"].partition(";")[0]
                return answer.status, kind, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, "", error.read().decode()

    return client


def say(data: bytes) -> Callable[[str], object]:
    """Return a client that writes bytes, and returns all that it reads."""

    def client(address: str) -> object:
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(data)
            said = b""
            while more := connection.recv(4096):
                said += more
        return said

    return client


@pytest.mark.parametrize(
    ("path", "reasons", "answer"),
    [
        ("/healthz", ["not listening"], (200, "text/plain", "alive\n")),
        ("/readyz", [], (200, "text/plain", "ready\n")),
        (
            "/readyz",
            ["not connected as a", "spool: full"],
            (503, "", "not connected as a\nspool: full\n"),
        ),
        ("/metrics", [], (200, "text/plain", "metric 1\n")),
        ("/metrics?name=a", [], (200, "text/plain", "metric 1\n")),
        ("/", [], (404, "", "/healthz, /readyz or /metrics\n")),
    ],
)
async def test_pages(path: str, reasons: list[str], answer: object) -> None:
    """It is alive while it answers, and ready when there is no reason not to be."""
    assert await served(get(path), *reasons) == answer


async def test_methods() -> None:
    """HEAD gets the head alone, and nothing can be sent."""
    assert await served(get("/healthz", "HEAD")) == (200, "text/plain", "")
    assert await served(get("/metrics", "POST")) == (405, "", "GET it\n")


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"\0\xff\r\n\r\n", b"GET\r\n\r\n"])
async def test_what_is_no_request(data: bytes) -> None:
    """Bytes that are no request get an answer, and no more."""
    said = await served(say(data))
    assert isinstance(said, bytes)
    assert said.startswith(b"HTTP/1.1 40")


async def test_a_request_without_end() -> None:
    """More than a request may have is not read."""
    with suppress(ConnectionError):  # as it may look to a client that still writes
        assert await served(say(b"GET /" + b"a" * 100_000 + b"\r\n\r\n")) == b""


async def test_a_slow_request() -> None:
    """Who does not finish asking is left."""
    assert await served(say(b"GET /healthz HTTP/1.1\r\n"), patience=0.2) == b""


async def test_a_slow_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not take the answer is left, and what it has not taken is forgotten."""
    left = threading.Event()
    monkeypatch.setattr(
        asyncio.StreamReaderProtocol, "connection_lost", lambda _self, _error: left.set()
    )
    metrics = bytes(50_000_000)  # more than the buffers of both sockets take

    def client(address: str) -> object:
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            return left.wait(10)

    assert await served(client, metrics=metrics, patience=0.2) is True


async def test_a_client_that_is_there_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """A bridge that stops has nothing to say of those who have not finished asking."""
    held: list[socket.socket] = []

    def client(address: str) -> object:
        host, _, port = address.rpartition(":")
        held.append(socket.create_connection((host, int(port)), timeout=10))
        held[0].sendall(b"GET /m")
        return get("/healthz")(address)

    assert await served(client) == (200, "text/plain", "alive\n")
    held[0].close()
    assert caplog.messages == []


async def test_an_address_of_ipv6() -> None:
    """It is said as it stands in a URL."""
    server = Health(Http(host="::1", port=0), list, bytes)
    assert (await server.start()).startswith("[::1]:")
    server.stop()


async def test_too_many_clients() -> None:
    """Beyond so many at once the next is served, and the first to come makes room for it."""

    def client(address: str) -> object:
        host, _, port = address.rpartition(":")
        where = (host, int(port))
        held = [socket.create_connection(where, timeout=10) for _ in range(http.MAX_CLIENTS)]
        answer = get("/healthz")(address)
        assert held[0].recv(1) == b""
        for each in held:
            each.close()
        return answer

    assert await served(client) == (200, "text/plain", "alive\n")


async def test_a_burst_of_clients() -> None:
    """However many come at once, no more than so many stay."""

    def client(address: str) -> object:
        host, _, port = address.rpartition(":")
        where = (host, int(port))
        held = [socket.create_connection(where, timeout=10) for _ in range(300)]
        closed = sum(is_closed(each) for each in held[: -http.MAX_CLIENTS])
        for each in held:
            each.close()
        return closed

    assert await served(client) == 300 - http.MAX_CLIENTS


def is_closed(connection: socket.socket) -> bool:
    """Say whether the other side has closed it, or does in time."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


async def test_an_address_that_is_taken() -> None:
    """Where it cannot listen, one line says so."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BridgeError, match=rf"127\.0\.0\.1:{port} for \[http\]"):
            await Health(Http(port=port), list, bytes).start()
