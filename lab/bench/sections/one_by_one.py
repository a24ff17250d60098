"""Section: what arrives when frames come one by one, which the article's bridge was made for."""

import tempfile
from pathlib import Path

from lab.bench.contenders import ARTICLE, BRIDGE
from lab.bench.load import numbered_frames
from lab.bench.measure import measure
from lab.bench.report import Setup, say, table

_RATES = (100, 2000)  # frames a second
_SECONDS = 5
_HEADER = ("contender", *(f"lost at {rate:,} frames/s" for rate in _RATES))


def section(setup: Setup) -> str:
    """Send frames at each rate to the bridge and to the article's; return the table."""
    rows = []
    for contender in (BRIDGE, ARTICLE):
        cells = [contender.name]
        for rate in _RATES:
            say(f"{rate:,} frames/s: {contender.name} …")
            frames = numbered_frames(rate * _SECONDS)
            with tempfile.TemporaryDirectory(dir=setup.folder) as folder:
                result = measure(contender, setup.broker, Path(folder), frames, rate)
            cells.append(f"{result.lost:,} of {result.sent:,}")
        rows.append(cells)
    return table(f"Frames written one by one, for {_SECONDS} s", _HEADER, rows)
