"""All pages in one sight, behind the guard."""

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from console.web import device, devices
from console.web.answer import as_json
from console.web.guard import Door, Guard
from console.web.render import HERE, page
from console.web.site import Site
from contract.errors import BridgeError


def application(site: Site, door: Door) -> ASGIApp:
    """Return the server's application."""
    app = Starlette(
        routes=[
            Route("/", lambda _request: RedirectResponse("/devices")),
            *devices.routes(site),
            *device.routes(site),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        exception_handlers={
            HTTPStatus.NOT_FOUND: lambda request, _error: _refuse(
                request, site, "There is no such page.", HTTPStatus.NOT_FOUND
            ),
            BridgeError: lambda request, error: _refuse(
                request, site, str(error), HTTPStatus.BAD_GATEWAY
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
