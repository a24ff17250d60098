"""Answers over HTTP how the bridge does: ``/healthz``, ``/readyz`` and ``/metrics``."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from bridge.addresses import address, why
from bridge.config import Http
from contract.errors import BridgeError

_MAX_REQUEST = 8192  # bytes
MAX_CLIENTS = 20  # at once; one more takes the place of the first
_TEXT = "text/plain; charset=utf-8"
_NO_ANSWER = (  # to a request that is too slow, too long, broken off, of one gone, or at the end
    TimeoutError,
    asyncio.LimitOverrunError,
    asyncio.IncompleteReadError,
    OSError,
    asyncio.CancelledError,
)


class Health:
    """The HTTP server.

    ``reasons`` says why the bridge is not ready, ``metrics`` is their text. A client has
    ``patience`` seconds to ask and to take the answer.
    """

    def __init__(
        self,
        http: Http,
        reasons: Callable[[], list[str]],
        metrics: Callable[[], bytes],
        patience: float = 5.0,
    ) -> None:
        self._http = http
        self._reasons = reasons
        self._metrics = metrics
        self._patience = patience
        self._clients: dict[asyncio.StreamWriter, None] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Listen; return ``host:port``.

        Raises:
            BridgeError: the address is taken or not this host's.

        """
        http = self._http
        try:
            self._server = await asyncio.start_server(
                self._serve, http.host, http.port, limit=_MAX_REQUEST
            )
        except (OSError, UnicodeError) as error:
            where = f"{http.host}:{http.port} for [http]"
            raise BridgeError(f"cannot listen on {where}: {why(error)}") from None
        return address(self._server.sockets[0].getsockname())

    def stop(self) -> None:
        """Listen no longer."""
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= MAX_CLIENTS:
            first = next(iter(self._clients))
            del self._clients[first]  # now: more may come before its task ends
            first.transport.abort()
        self._clients[writer] = None
        try:
            async with asyncio.timeout(self._patience):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head))
                writer.close()
                await writer.wait_closed()  # all of it is taken
        except _NO_ANSWER:
            pass
        finally:
            self._clients.pop(writer, None)
            writer.transport.abort()

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in {b"GET", b"HEAD"}:
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, b"GET it\n")
        body = self._pages(path)
        return body if method == b"GET" else body[: body.index(b"\r\n\r\n") + 4]

    def _pages(self, path: bytes) -> bytes:
        match path:
            case b"/healthz":
                return _response(HTTPStatus.OK, b"alive\n")
            case b"/readyz":
                reasons = self._reasons()
                status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
                return _response(status, "\n".join([*(reasons or ["ready"]), ""]).encode())
            case b"/metrics":
                return _response(HTTPStatus.OK, self._metrics(), CONTENT_TYPE_PLAIN_0_0_4)
            case _:
                return _response(HTTPStatus.NOT_FOUND, b"/healthz, /readyz or /metrics\n")


def _response(status: HTTPStatus, body: bytes, kind: str = _TEXT) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
