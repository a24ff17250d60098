"""The pages of all devices and of all gateways."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.web.answer import as_json
from console.web.overview import Gateway, Look, gateways
from console.web.render import page
from console.web.site import Site

_MILLISECOND = 1_000  # microseconds

Cell = object
"""A value of a row, as JSON has it."""


def routes(site: Site) -> list[Route]:
    """Return the pages."""

    def devices(_request: Request) -> Response:
        return page("devices.html", here="devices", site=site)

    def of_devices(request: Request) -> Response:
        after = request.query_params.get("after", "")
        return as_json(news(site, int(after) if after.isdecimal() else 0))

    def gateway_page(_request: Request) -> Response:
        return page("gateways.html", here="gateways", site=site)

    def of_gateways(_request: Request) -> Response:
        looks = site.watcher.ask().since(0).looks
        return as_json({"rows": [*map(gateway_row, gateways(looks))], **_progress(site)})

    return [
        Route("/devices", devices),
        Route("/devices.json", of_devices),
        Route("/gateways", gateway_page),
        Route("/gateways.json", of_gateways),
    ]


def news(site: Site, after: int) -> dict[str, object]:
    """Return what was found of devices since a version, or all of them: ``whole``."""
    known = site.watcher.ask()
    found = known.since(after)
    rows = list(map(device_row, found.looks))
    if found.whole:
        seen = {each.device for each in found.looks}
        listed = (known.listed or {}).items()
        rows += [_unseen(device, last) for device, last in listed if device not in seen]
    return {"version": found.version, "whole": found.whole, "rows": rows, **_progress(site)}


def _progress(site: Site) -> dict[str, object]:
    """Return how many devices there are, None before that is known, and were looked at."""
    known = site.watcher.known
    listed = None if known.listed is None else len(known.listed)
    return {"listed": listed, "looked": known.count, "problem": site.watcher.problem}


def device_row(look: Look) -> list[Cell]:
    """Return a device as ``devices.js`` takes it apart; times and intervals in milliseconds."""
    return [
        look.device,
        look.name,
        _milliseconds(look.last),
        look.silent,
        _milliseconds(look.expected.interval),
        look.uplinks,
        look.missing,
        look.rssi,
        look.lsnr,
        look.reading or look.error,
    ]


def gateway_row(gateway: Gateway) -> list[Cell]:
    """Return a gateway as ``gateways.js`` takes it apart."""
    last = _milliseconds(gateway.last)
    return [gateway.gateway, last, gateway.devices, gateway.rssi, gateway.lsnr]


def _unseen(device: str, last_seen: int | None) -> list[Cell]:
    """Return a device that was not looked at yet."""
    return [device, "", _milliseconds(last_seen), False, *[None] * 6]


def _milliseconds(time: int | None) -> int | None:
    return None if time is None else time // _MILLISECOND
