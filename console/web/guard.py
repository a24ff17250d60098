"""Who may ask: whoever was given the address, in a browser that this server's own page leads."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"  # noqa: S105  # the name of it in the address
_READING = {"GET", "HEAD"}
_HEADERS = {
    # Nothing comes from elsewhere, and nothing goes there.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Door:
    """Where the server is, and what opens it.

    Without the right ``Host`` a page of another name could read this one once its name leads to
    the loopback (DNS rebinding). Without the right ``Origin`` it could make a browser that has
    been here ask for something (CSRF). ``token`` is what the address has, ``entered`` what the
    cookie has from then on: browsers also give it to others who listen on the loopback.
    """

    port: int
    token: str
    entered: str

    @property
    def address(self) -> str:
        """The address to open: it says the token once, and a cookie does from then on."""
        return f"http://127.0.0.1:{self.port}/?{TOKEN}={self.token}"

    @property
    def cookie(self) -> str:
        """The cookie's name: a browser takes all ports of a host for one."""
        return f"lora-bridge-{self.port}"

    def refusal(self, method: str, headers: Mapping[str, str]) -> str | None:
        """Return why a request cannot come of this server's own page; None if it can."""
        hosts = {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost")}
        host = headers.get("host")
        if host not in hosts:
            return f"this server is 127.0.0.1:{self.port}, and no other name"
        origin = headers.get("origin")
        if origin is None and method in _READING:
            return None
        return None if origin == f"http://{host}" else "another page may not ask for this"

    def opens(self, token: str | None) -> bool:
        """Say whether this is the token."""
        return _same(token, self.token)

    def knows(self, cookie: str | None) -> bool:
        """Say whether this is the cookie of who has come in."""
        return _same(cookie, self.entered)


def _same(said: str | None, secret: str) -> bool:
    return secrets.compare_digest((said or "").encode(), secret.encode())


class Guard:
    """Lets in who has the token, and tells the browser what the pages may do."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer = self._answer(Request(scope)) or self._app
        await answer(scope, receive, send_guarded)

    def _answer(self, request: Request) -> Response | None:
        """Return what the guard itself answers, None where it lets the request pass."""
        door = self._door
        refusal = door.refusal(request.method, request.headers)
        if refusal:
            return PlainTextResponse(f"lora-bridge: {refusal}\n", HTTPStatus.FORBIDDEN)
        if request.method in _READING and door.opens(request.query_params.get(TOKEN)):
            rest = request.url.remove_query_params(TOKEN)
            entered = RedirectResponse(rest.replace(scheme="", netloc=""), HTTPStatus.SEE_OTHER)
            # Not strict: the browser comes from the file that --open makes.
            entered.set_cookie(door.cookie, door.entered, httponly=True, samesite="lax")
            return entered
        if door.knows(request.cookies.get(door.cookie)):
            return None
        return PlainTextResponse(
            "lora-bridge: open the address that 'lora-bridge web' has printed\n",
            HTTPStatus.FORBIDDEN,
        )
