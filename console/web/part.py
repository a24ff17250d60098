"""Parts of a page that are looked at on their own: one that AWS refuses does not spoil others."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.check.chain import NotTriedError
from console.web.answer import as_json
from contract.errors import BridgeError


def part(address: str, look: Callable[[], object]) -> Route:
    """Return where a part is: it answers ``found``, or ``why`` it cannot be looked at."""

    def answer(_request: Request) -> Response:
        try:
            return as_json({"found": look()})
        except (BridgeError, NotTriedError) as error:
            return as_json({"why": str(error)})

    return Route(address, answer)
