"""Drives a real Chromium, Debian's own, and notes whatever a page complains about."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from lab.rig.errors import RigError

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_MISSING = "Chromium is needed: apt-get install chromium (Debian, Ubuntu; 'make brokers' does it)"
_LIMIT = 10_000  # milliseconds for whatever is to be there
_ZONE, _LANGUAGE = "Europe/Berlin", "en-GB"


@dataclass(eq=False)  # not frozen: Playwright writes into what it calls
class Visit:
    """A page in a browser of its own, without anything of other visits.

    ``complaints`` are errors and warnings of its console, among them what its policy has blocked,
    exceptions that nobody caught, and requests that went to another server than ``origin``.
    """

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        """Take what the console says."""
        if message.type in {"error", "warning", "assert"}:
            self.complaints.append(f"console: {message.text}")

    def see(self, request: Request) -> None:
        """Look where a request goes."""
        address = urlsplit(request.url)
        if address.scheme != "data" and f"{address.scheme}://{address.netloc}" != self.origin:
            self.complaints.append(f"asked another server: {request.url}")


def program() -> str:
    """Return the path of Chromium.

    Raises:
        RigError: it is not installed; says how to install it.

    """
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise RigError(_MISSING)
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run it, without a window, until the context ends.

    No other event loop may run in this thread meanwhile.

    Raises:
        RigError: it is not installed; says how to install it.

    """
    path = program()
    with sync_playwright() as playwright:
        # --no-sandbox: root, as which containers run, has none; it sees nothing but these pages.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(
    browser: Browser,
    address: str,
    size: tuple[int, int] = (1280, 800),
    scheme: Literal["light", "dark"] = "light",
    script: str = "",
) -> Iterator[Visit]:
    """Open an address in a window of a size, in CSS pixels; forget all of it at the end.

    ``script`` runs in each page before its own.
    """
    url = urlsplit(address)
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        timezone_id=_ZONE,
        locale=_LANGUAGE,
    )
    context.set_default_timeout(_LIMIT)
    context.add_init_script(script)
    try:
        found = Visit(context.new_page(), f"{url.scheme}://{url.netloc}")
        found.page.on("console", found.hear)
        found.page.on("pageerror", lambda error: found.complaints.append(f"exception: {error}"))
        found.page.on("request", found.see)
        found.page.goto(address)
        yield found
    finally:
        context.close()
