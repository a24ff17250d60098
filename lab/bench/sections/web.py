"""Section: how soon the pages are there, and answer to a click, in Chromium."""

import os
import tempfile
from pathlib import Path

from lab.aws.generated_store import UPLINKS_EACH, generated_store
from lab.bench.report import Setup, say, spread, table
from lab.bench.web_session import FILTER, PAINT, SORT, STEPS, Times, measure
from lab.rig.browser import chromium
from lab.rig.running_web import running_web
from lab.rig.usage import Usage

NETWORKS = (20, 10_000)
"""Devices: as many as the demo has, and a large network."""
_AIMS = {PAINT: "1,000", SORT: "100", FILTER: "100"}
MEMORY = "peak RSS of lora-bridge web, MB"
_NOTES = """
In Chromium without a window, of 1280 x 800, in a new profile; `lora-bridge web` has just started.
First paint and what is listed: since the address was opened, with the way through the token. Of a
click or a key: until the next frame is painted with what it changed; of what opens or is chosen:
until charts and table are. Figures: median (min-max) of rounds, and of all clicks and keys of all
rounds. DynamoDB is a server here that makes the rows of each query as it is asked, as the rule and
the decoder store them, and answers after 17 ms: the local AWS takes half an hour and 4 GB to be
filled with a million rows. Chromium, the pages' server and that one share two cores. All are looked
at by a query for each device, eight at once."""


def section(setup: Setup) -> str:
    """Visit the pages of a small and of a large network, in rounds; return the table."""
    found = [measured(setup, devices) for devices in NETWORKS]
    header = ["step, ms", "aim", *map(_network, NETWORKS)]
    title = f"The pages in Chromium; rounds: {setup.repeats}"
    return table(title, header, rows(found)) + "\n" + _NOTES


def rows(found: list[Times]) -> list[list[str]]:
    """Return the table's lines, of what was measured with each network."""
    return [
        [step, _AIMS.get(step, "-"), *(spread(each[step]) for each in found)]
        for step in (*STEPS, MEMORY)
    ]


def _network(devices: int) -> str:
    return f"{devices:,} devices, {devices * UPLINKS_EACH:,} uplinks"


def measured(setup: Setup, devices: int) -> Times:
    """Visit the pages of a network of so many devices, in rounds."""
    found: Times = {}
    with chromium() as browser, generated_store(devices) as aws:
        for number in range(setup.repeats):
            say(f"web, round {number + 1}: {devices:,} devices …")
            with (
                tempfile.TemporaryDirectory(dir=setup.folder) as folder,
                running_web(os.environ | aws, Path(folder)) as web,
            ):
                times = measure(browser, web)
                usage = Usage(web.process.pid)
                usage.look()
                times[MEMORY] = [usage.peak]
            for step, values in times.items():
                found.setdefault(step, []).extend(values)
            say("  " + ", ".join(f"{step}: {spread(values)}" for step, values in times.items()))
    return found
