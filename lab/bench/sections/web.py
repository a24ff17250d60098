"""Section: how soon the pages are there, and answer to a click, in Chromium."""

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from playwright.sync_api import Browser

from lab.aws.generated_store import UPLINKS_EACH, generated_store
from lab.bench.report import NOTHING, Setup, say, spread, table
from lab.bench.web_session import (
    FILTER,
    FIRST,
    PAINT,
    SORT,
    STEPS,
    Times,
    measure_devices,
    measure_path,
)
from lab.demo.site import demo_site
from lab.rig.browser import chromium
from lab.rig.running_web import RunningWeb, running_web
from lab.rig.usage import Usage

DEVICES = 10_000
"""Of the large network."""
_AIMS = {PAINT: "1,000", FIRST: "1,000", SORT: "100", FILTER: "100"}
MEMORY = "peak RSS of lora-bridge web, MB"
_HEADER = (
    "step, ms",
    "aim",
    "the demo: 21 devices, 3,000 uplinks",
    f"{DEVICES:,} devices, {DEVICES * UPLINKS_EACH:,} uplinks",
)
_NOTES = """
In Chromium without a window, of 1280 x 800, in a new profile; `lora-bridge web` has just started.
Until a page is painted, or tells what the line says: since its address was opened, or the device
was clicked. Until a sort, or a letter: from the click or the key to the next frame that is painted.
Figures: median (min-max) of rounds, and of all clicks and keys of all rounds. The demo has the
whole path in the local AWS, three days of its sensors, and a bridge at work. The large network is a
DynamoDB here that makes the rows of each query as it is asked, as the rule and the decoder store
them, and answers after 17 ms: the local AWS would take half an hour and 4 GB to be filled with a
million rows. All devices are looked at by a query for each, those first that were not heard for the
longest. Chromium, the pages' server and its AWS share two cores."""


def section(setup: Setup) -> str:
    """Visit the pages of the demo and of a large network, in rounds; return the table."""
    with chromium() as browser:
        demo = measured_demo(setup, browser)
        large = measured_devices(setup, browser, DEVICES)
    title = f"The pages in Chromium; rounds: {setup.repeats}"
    return table(title, _HEADER, rows([demo, large])) + "\n" + _NOTES


def rows(found: Sequence[Times]) -> list[list[str]]:
    """Return the table's lines, of what was measured with each network."""
    return [
        [
            step,
            _AIMS.get(step, NOTHING),
            *(spread(each[step]) if step in each else NOTHING for each in found),
        ]
        for step in (*STEPS, MEMORY)
    ]


def measured_demo(setup: Setup, browser: Browser) -> Times:
    """Visit all pages of the demo, in rounds."""
    found: Times = {}
    with (
        tempfile.TemporaryDirectory(dir=setup.folder) as name,
        redirect_stdout(sys.stderr),
        demo_site(Path(name)) as site,
    ):
        for number in range(setup.repeats):
            say(f"web, round {number + 1}: the demo …")
            with running_web(site.environment, site.folder, site.options) as web:
                _add(found, measure_path(browser, web))
            with running_web(site.environment, site.folder, site.options) as web:
                _add(found, measure_devices(browser, web) | _memory(web))
    return found


def measured_devices(setup: Setup, browser: Browser, devices: int) -> Times:
    """Visit the pages of a network of so many devices, in rounds."""
    found: Times = {}
    with generated_store(devices) as aws:
        for number in range(setup.repeats):
            say(f"web, round {number + 1}: {devices:,} devices …")
            with (
                tempfile.TemporaryDirectory(dir=setup.folder) as folder,
                running_web(os.environ | aws, Path(folder)) as web,
            ):
                _add(found, measure_devices(browser, web) | _memory(web))
    return found


def _memory(web: RunningWeb) -> Times:
    usage = Usage(web.process.pid)
    usage.look()
    return {MEMORY: [usage.peak]}


def _add(found: Times, times: Times) -> None:
    for step, values in times.items():
        found.setdefault(step, []).extend(values)
    say("  " + ", ".join(f"{step}: {spread(values)}" for step, values in times.items()))
