"""All pages in one sight, behind the guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from console.web import device, devices, errors, path
from console.web.answer import as_json
from console.web.guard import Door, Guard
from console.web.job import Latest
from console.web.render import HERE, page
from console.web.site import Site
from contract.errors import BridgeError

_GOODBYE = 10.0  # seconds for what was begun to be ended well when the server ends
_THREADS = 100  # each open page has one, for what is new
_FAULT = "That is a fault of lora-bridge web. The terminal in which it runs says more."


def application(site: Site, door: Door) -> ASGIApp:
    """Return the server's application."""
    redrives, walks = Latest(), Latest()

    @asynccontextmanager
    async def running(_app: Starlette) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = _THREADS
        yield
        for begun in (redrives, walks):
            await run_in_threadpool(begun.end, _GOODBYE)

    app = Starlette(
        routes=[
            *path.routes(site, walks),
            *devices.routes(site),
            *device.routes(site),
            *errors.routes(site, redrives),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        lifespan=running,
        exception_handlers={
            HTTPStatus.NOT_FOUND: lambda request, _error: _refuse(
                request, site, "There is no such page.", HTTPStatus.NOT_FOUND
            ),
            HTTPStatus.BAD_REQUEST: lambda request, error: _refuse(
                request, site, error.detail, HTTPStatus.BAD_REQUEST
            ),
            BridgeError: lambda request, error: _refuse(
                request, site, str(error), HTTPStatus.BAD_GATEWAY
            ),
            Exception: lambda request, _error: _refuse(
                request, site, _FAULT, HTTPStatus.INTERNAL_SERVER_ERROR
            ),
        },
    )
    return Guard(app, door)


def _refuse(request: Request, site: Site, problem: str, status: HTTPStatus) -> Response:
    """Say what is wrong: to a script as JSON, to a person as a page."""
    if "text/html" not in request.headers.get("accept", ""):
        return as_json({"problem": problem}, status)
    answer = page("problem.html", here="", site=site, problem=problem)
    answer.status_code = status
    return answer
