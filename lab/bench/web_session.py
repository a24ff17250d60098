"""One visit to the pages in Chromium: what is measured of each step, in milliseconds."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from lab.rig.browser import visit
from lab.rig.errors import RigError
from lab.rig.running_web import RunningWeb

_WATCH = Path(__file__).with_name("watched_page.js").read_text()
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_COLUMNS = ("Device", "EUI", "Application", "Last heard", "State", "Missing", "RSSI", "SNR")
_TYPED = "meter 00"
_DONE = {
    "listed": ("count", r"^[1-9]\d* devices"),
    "looked": ("count", r"^[1-9]\d* devices, \d+ silent(, \d+ not known yet)?$"),
    "gateways": ("count", r"^[1-9]\d* gateways$"),
    "path": ("verdict", r"^(The path is whole|\d+ links? (is|are) whole)"),
    "errors": ("undecoded", r"^(?!.*So far)(The last|No device)"),
    "drawn": ("shown", r"^(the newest )?[1-9]\d* uplinks$"),
}
"""By which text of which element a page tells that something is done."""
_LIMIT = 300_000  # milliseconds for all devices of the largest network

Times = dict[str, list[float]]
"""What each step took, by its name."""

PAINT = "first paint of the devices"
LISTED = "all devices are listed, when nothing is known yet"
LOOKED = "all are looked at, and their silence is known"
KNOWN = "all devices are listed, when they are known"
SORT = "a click that sorts, by each column, both ways"
FILTER = "a letter more or less in the filter"
OPEN = "a click that opens a device: charts and table"
DRAG = "a period is chosen by dragging: charts and table"
GATEWAYS = "all gateways are listed"
FIRST = "first paint of the path, of a server that has just started"
PATH = "all links of the path are looked at"
ERRORS = "all that went wrong is listed"
STEPS = (PAINT, LISTED, LOOKED, KNOWN, SORT, FILTER, OPEN, DRAG, GATEWAYS, FIRST, PATH, ERRORS)


def measure_devices(browser: Browser, web: RunningWeb) -> Times:
    """Visit the devices, of a server that has just started, and use their pages.

    Raises:
        RigError: a page complained.

    """
    times: Times = defaultdict(list)
    with _watched(browser, web.at("/devices")) as page:
        times[PAINT].append(_number(page, _PAINT))
        times[LISTED].append(_seen(page, "listed"))
        times[LOOKED].append(_seen(page, "looked"))
        page.goto(web.at("/devices"))
        times[KNOWN].append(_seen(page, "looked"))
        _sort(page, times)
        _filter(page, times)
        page.locator("tbody a").first.click()
        times[OPEN].append(_seen(page, "drawn"))
        _drag(page, times)
        page.goto(web.at("/gateways"))
        times[GATEWAYS].append(_seen(page, "gateways"))
    return times


def measure_path(browser: Browser, web: RunningWeb) -> Times:
    """Visit the path, of a server that has just started, and what went wrong.

    Raises:
        RigError: a page complained.

    """
    with _watched(browser, web.at("/")) as page:
        times = {FIRST: [_number(page, _PAINT)], PATH: [_seen(page, "path")]}
        page.goto(web.at("/errors"))
        times[ERRORS] = [_seen(page, "errors")]
    return times


@contextmanager
def _watched(browser: Browser, address: str) -> Iterator[Page]:
    script = _WATCH + "".join(
        f"window.bench.watch({name!r}, {element!r}, {json.dumps(pattern)});"
        for name, (element, pattern) in _DONE.items()
    )
    with visit(browser, address, script=script) as visiting:
        visiting.page.set_default_timeout(_LIMIT)
        yield visiting.page
        if visiting.complaints:
            raise RigError(f"a page complained: {visiting.complaints}")


def _sort(page: Page, times: Times) -> None:
    for column in _COLUMNS:
        button = page.get_by_role("button", name=column, exact=True)
        for _ in range(2):
            with _timed(page, times[SORT], "click"):
                button.click()


def _filter(page: Page, times: Times) -> None:
    page.get_by_role("searchbox").focus()
    for key in (*_TYPED, *["Backspace"] * len(_TYPED)):
        with _timed(page, times[FILTER], "input"):
            page.keyboard.press(key)


def _drag(page: Page, times: Times) -> None:
    """Drag over the middle of the first chart."""
    chart = page.locator("#charts .u-over").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    if box is None:
        raise RigError("a device has no chart")
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 4, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle, steps=5)
    page.mouse.up()
    times[DRAG].append(_seen(page, "drawn") - _number(page, "window.bench.from"))


@contextmanager
def _timed(page: Page, took: list[float], kind: str) -> Iterator[None]:
    """Note how long after an event of a kind the next frame was there."""
    page.evaluate("window.bench.took = []")
    yield
    took.append(_number(page, f"window.bench.took.find(([kind]) => kind === '{kind}')?.[1]"))


def _seen(page: Page, name: str) -> float:
    """Return when something was seen to be done, since the page began."""
    return _number(page, f"window.bench.seen.{name}")


def _number(page: Page, expression: str) -> float:
    """Wait until an expression is there; return it."""
    return float(page.wait_for_function(f"() => {expression}").json_value())
