"""The page of what went wrong: not stored, not decoded, not taken by the bridge or by AWS IoT."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.spool import refused, rejected
from console.deployment import aws_errors
from console.recovery.error_queue import deployed_queue
from console.recovery.failures import Failure, details, listed
from console.recovery.spool_file import opened
from console.show.tables import render_whole
from console.web.answer import as_json, stream
from console.web.job import Latest
from console.web.overview import Look
from console.web.part import part
from console.web.redriving import redrive
from console.web.render import page
from console.web.rights import May, may_redrive
from console.web.site import Site
from contract.deployment import Deployment
from contract.names import event_partition

_MOST = 200  # messages, and devices, that are shown
_MILLISECOND = 1000  # microseconds
_OF_EVENTS = event_partition("")


def routes(site: Site, redrives: Latest) -> list[Route]:
    """Return the page, and what it asks for; ``redrives`` goes on when nobody looks."""

    def errors(_request: Request) -> Response:
        return page("errors.html", here="errors", site=site, redriving=redrives.is_running)

    def look(_request: Request) -> Response:
        return as_json(not_stored(site.deployment))

    def begin(_request: Request) -> Response:
        if may_redrive(site) is May.NO:
            problem = "Your AWS credentials may not redrive."
            return as_json({"problem": problem}, HTTPStatus.FORBIDDEN)
        redrives.start(partial(redrive, site.deployment))
        return as_json({})

    def follow(_request: Request) -> Response:
        return stream(redrives.job.follow() if redrives.job else [("begin", {}), ("end", {})])

    parts: dict[str, Callable[[], object]] = {
        "undecoded": partial(undecoded, site),
        "may-redrive": partial(may_redrive, site),
    }
    if site.config:
        parts["kept"] = partial(kept, site.config)
    return [
        Route("/errors", errors),
        Route("/errors/look", look, methods=["POST"]),
        Route("/errors/redrive", begin, methods=["POST"]),
        Route("/errors/redrive", follow),
        *(part(f"/parts/{name}", look) for name, look in parts.items()),
    ]


def not_stored(deployment: Deployment) -> dict[str, object]:
    """Look into the error queue, which hides from others what is looked at, half a minute at most.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    with aws_errors():
        queue = deployed_queue(deployment)
        depth = queue.depth()
        found = queue.look(_MOST, lambda _count: None)
    total = max(depth.waiting + depth.held, len(found))
    return {"messages": [*map(message, found)], "all": total, "held": depth.held}


def message(failure: Failure) -> dict[str, object]:
    """Return what is shown of a message of the error queue."""
    line = listed(failure)
    return {
        "id": failure.id,
        "time": failure.time // _MILLISECOND,
        "device": line.device and line.device.removesuffix(_OF_EVENTS),
        "event": bool(line.device and line.device.endswith(_OF_EVENTS)),
        "fcnt": line.seqno,
        "reason": line.reason,
        "whole": render_whole(details(failure)),
    }


def undecoded(site: Site) -> dict[str, object]:
    """Return the devices whose last uplink has no reading for an error, the newest first."""
    known = site.watcher.ask()
    looks = known.since(0).looks
    found = sorted(
        (each for each in looks if each.error), key=lambda each: (-(each.last or 0), each.device)
    )
    return {
        "devices": [*map(_failing, found[:_MOST])],
        "all": len(found),
        "looked": known.count,
        "listed": None if known.listed is None else len(known.listed),
        "problem": site.watcher.problem,
    }


def _failing(look: Look) -> dict[str, object]:
    last = look.last and look.last // _MILLISECOND
    return {"device": look.device, "name": look.name, "last": last, "error": look.error}


def kept(config: Path) -> dict[str, object]:
    """Return how much the bridge keeps of what was rejected or refused, by reason.

    Raises:
        BridgeError: its spool cannot be used.

    """
    with opened(config) as spool:
        return {"rejected": rejected.counted(spool), "refused": refused.counted(spool)}
