"""The page of a device: its charts, uplinks, events and downlinks."""

import random
import time
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.codecs.commands import parse_payload
from console.downlinks.request import fresh_id, payload
from console.downlinks.sending import publish
from console.show.event_columns import event_cells
from console.store.events import events, events_since
from console.store.history import END_OF_TIME, uplinks
from console.store.recent import recent
from console.web.answer import as_json, stream
from console.web.export import csv, parquet
from console.web.live import Looking, new_uplinks
from console.web.overview import look
from console.web.render import page
from console.web.rights import May, may_send
from console.web.series import Series, uplink
from console.web.site import Site
from contract import downlinks
from contract.errors import BridgeError
from contract.eui import is_device
from contract.names import SORT_KEY
from contract.rows import Row
from contract.silence import AHEAD
from contract.times import parse_time

_NEWEST = 500  # uplinks that are drawn unless a period is chosen
_MOST = 20_000  # that are drawn of a period
_FIRST, _MORE = 25, 100  # uplinks of the table, at first and at each click
_EVENTS = 100
_TICK = 0.5  # seconds between looks for what is new
_LONG_AGO = 3_600_000_000  # microseconds, before which nothing is news


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A downlink as the form asks for it."""

    port: int
    data: str
    confirmed: bool = False


def routes(site: Site) -> list[Route]:
    """Return the page of a device, and what its script asks for."""
    path = "/devices/{application}/{device}"
    views = {
        "": _page,
        "/history.json": _history,
        "/uplinks.json": _older,
        "/events.json": _events,
        "/live": _live,
        "/may-send.json": _may_send,
        "/export.csv": _csv,
        "/export.parquet": _parquet,
    }
    return [
        *(Route(path + end, partial(view, site)) for end, view in views.items()),
        Route(f"{path}/downlinks", partial(_send, site), methods=["POST"]),
    ]


def device_of(request: Request) -> str:
    """Return the device of an address.

    Raises:
        HTTPException: it can be none.

    """
    device = f"{request.path_params['application']}/{request.path_params['device']}"
    if not is_device(device):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return device


def period_of(request: Request) -> tuple[int, int]:
    """Return the first and the last moment that are asked for, in microseconds since 1970.

    Raises:
        HTTPException: one is no time, or they are in the wrong order.

    """
    since, until = _time_of(request, "since", 0), _time_of(request, "until", END_OF_TIME)
    if since > until:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The period ends before it begins.")
    return since, until


def _time_of(request: Request, name: str, default: int) -> int:
    asked = request.query_params.get(name)
    time = parse_time(asked) if asked else default
    if time is None:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"{asked!r} is no time.")
    return time


def _page(site: Site, request: Request) -> Response:
    device = device_of(request)
    now = site.clock()
    (found,) = recent(site.uplinks, [device], until=now + AHEAD)
    known = look(found, None, site.intervals, now)
    return page("device.html", here="devices", site=site, device=device, look=known)


def _history(site: Site, request: Request) -> Response:
    """Answer with the charts of a period, and the newest of its uplinks."""
    since, until = period_of(request)
    most = _MOST if request.query_params.get("since") else _NEWEST
    series = Series()
    newest: list[Row] = []
    for row in uplinks(site.uplinks, device_of(request), since, until, most):
        series.add(row)
        if len(newest) < _FIRST:
            newest.append(row)
    return as_json(
        {
            "charts": series.charts,
            "beyond": series.beyond,
            "missing": series.missing,
            "uplinks": list(map(uplink, newest)),
            "count": series.count,
            "cut": series.count == most,
            "first": series.first,
            "last": newest[0][SORT_KEY] if newest else None,
        }
    )


def _older(site: Site, request: Request) -> Response:
    """Answer with the next uplinks before a time."""
    before = _time_of(request, "before", 0)
    since = min(period_of(request)[0], before - 1)
    rows = list(uplinks(site.uplinks, device_of(request), since, before - 1, _MORE + 1))
    return as_json({"uplinks": list(map(uplink, rows[:_MORE])), "more": len(rows) > _MORE})


def _events(site: Site, request: Request) -> Response:
    found = events(site.uplinks, device_of(request), limit=_EVENTS)
    return as_json({"events": list(map(_event, found))})


def _event(row: Row) -> dict[str, object]:
    return {SORT_KEY: row[SORT_KEY], **event_cells(row)}


def _csv(site: Site, request: Request) -> Response:
    return csv(site.uplinks, device_of(request), period_of(request))


def _parquet(site: Site, request: Request) -> Response:
    return parquet(site.uplinks, device_of(request), period_of(request))


def _live(site: Site, request: Request) -> Response:
    """Stream the uplinks and events since a time, as they come.

    A browser that has lost the connection asks with the same time again, however long ago it is.
    """
    device = device_of(request)
    now = site.clock()  # the browser's may be ahead
    since = min(max(period_of(request)[0], now - _LONG_AGO), now)
    return stream(_news(site, device, since))


def _news(site: Site, device: str, since: int) -> Iterator[tuple[str, object] | None]:
    told = Looking(partial(events_since, site.uplinks, device, None), since, site.clock)
    with new_uplinks(site, device, since) as heard:
        while True:
            try:
                yield from (("uplink", uplink(row)) for row in heard())
                yield from (("event", _event(row)) for row in told.news())
            except BridgeError as error:
                yield "problem", {"problem": str(error)}
                return
            yield None
            time.sleep(_TICK)


def _may_send(site: Site, request: Request) -> Response:
    return as_json({"found": may_send(site, device_of(request))})


async def _send(site: Site, request: Request) -> Response:
    device = device_of(request)
    if await run_in_threadpool(may_send, site, device) is May.NO:
        problem = "Your AWS credentials may not send downlinks to this device."
        return as_json({"problem": problem}, HTTPStatus.FORBIDDEN)
    try:
        wanted = msgspec.json.decode(await request.body(), type=Wanted)
        data = parse_payload(wanted.data)
        name = fresh_id(random.SystemRandom())
        asked = downlinks.Request(name, wanted.port, data, wanted.confirmed)
        content = payload(asked, time.time_ns() // 1000)
    except (msgspec.DecodeError, ValueError, downlinks.BadRequestError) as error:
        return as_json({"problem": str(error)}, HTTPStatus.BAD_REQUEST)
    await run_in_threadpool(publish, site.deployment.request_topic(device), content)
    return as_json({"id": name})
