"""The page of the path: from the network server to the readings, and what stands still on it."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.check.chain import Link, State, walk
from console.check.links import Links
from console.check.store_links import links_without_a_bridge
from console.store.alarms import Alarm, AlarmState, alarms
from console.web.answer import as_json, stream
from console.web.bridge_status import BridgeStatus
from console.web.job import Latest, Told, Work
from console.web.part import part
from console.web.queues import error_queue, failure_queue
from console.web.render import page
from console.web.rights import May, may_test
from console.web.site import Site

_FRESH = 60.0  # seconds that findings are kept
_MILLISECOND = 1000  # microseconds


def routes(site: Site, walks: Latest) -> list[Route]:
    """Return the page, and what it asks for; ``walks`` look at the links."""

    def path(_request: Request) -> Response:
        return page("path.html", here="path", site=site)

    def look(_request: Request) -> Response:
        walks.start(chain(site, asked=False), _FRESH)
        return stream(walks.job.follow() if walks.job else ())

    def look_again(_request: Request) -> Response:
        walks.start(chain(site))
        return as_json({})

    def test(_request: Request) -> Response:
        if site.config is None or may_test(site) is May.NO:
            return as_json({"problem": "That is not allowed here."}, HTTPStatus.FORBIDDEN)
        if walks.start(chain(site, round_trip=True)) is None:
            problem = "The links are being looked at just now. Wait for that, and click again."
            return as_json({"problem": problem}, HTTPStatus.CONFLICT)
        return as_json({})

    parts: dict[str, Callable[[], object]] = {
        "devices": partial(of_devices, site),
        "alarms": lambda: of_alarms(list(alarms(site.deployment))),
        "error-queue": partial(error_queue, site.deployment),
        "failure-queue": partial(failure_queue, site.deployment),
        "may-test": lambda: may_test(site),
    }
    if site.config:
        parts["bridge"] = BridgeStatus(site.config).look
    return [
        Route("/", path),
        Route("/path/links", look),
        Route("/path/look", look_again, methods=["POST"]),
        Route("/path/test", test, methods=["POST"]),
        *(part(f"/parts/{name}", look) for name, look in parts.items()),
    ]


def chain(site: Site, *, round_trip: bool = False, asked: bool = True) -> Work:
    """Return the work of looking at the links, which tells of each, and when it looked.

    Where nobody has ``asked`` for it, nothing is published. A round trip goes on to its end, so
    that nothing of it stays in the table.
    """

    def links() -> Generator[Link, None, None]:
        if site.config:
            links = Links(site.config, lambda: datetime.now(UTC), quiet=not asked)
            yield from links.all(round_trip=round_trip)
        else:
            yield from links_without_a_bridge(site.deployment)

    def work(ending: Callable[[], bool]) -> Generator[Told, None, None]:
        yield "when", site.clock() // _MILLISECOND
        with closing(links()) as found:
            for each in told(found):
                yield each
                if ending() and not round_trip:
                    break

    return work


def told(links: Generator[Link, None, None]) -> Generator[Told, None, None]:
    """Walk along links; tell which one is looked at, and what was found of it."""
    for link in links:
        yield "look", link[0]
        (finding,) = walk([link], time.monotonic)
        yield "found", asdict(finding)
        if finding.state is State.BROKEN:
            return


def of_devices(site: Site) -> dict[str, object]:
    """Return how many devices there are and are silent, and what came last of any."""
    known = site.watcher.ask()
    looks = known.since(0).looks
    newest = max(
        (each for each in looks if each.last), key=lambda each: each.last or 0, default=None
    )
    return {
        "listed": None if known.listed is None else len(known.listed),
        "looked": known.count,
        "silent": sum(each.silent for each in looks),
        "newest": newest and newest.last and newest.last // _MILLISECOND,
        "device": newest and newest.device,
        "name": newest and newest.name,
        "problem": site.watcher.problem,
    }


def of_alarms(found: list[Alarm]) -> dict[str, object]:
    """Return the alarms that are on, those that do not know yet, and how many there are."""
    return {
        "on": [
            {
                "name": each.name,
                "description": each.description,
                "since": each.since // _MILLISECOND,
            }
            for each in found
            if each.state is AlarmState.ON
        ],
        "unknown": [each.name for each in found if each.state is AlarmState.UNKNOWN],
        "all": len(found),
    }
