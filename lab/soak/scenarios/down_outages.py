"""The broker or the network server goes away and comes back while downlinks are asked for."""

import random
from collections.abc import Callable
from pathlib import Path

from lab.rig.running_bridge import running_bridge
from lab.soak.result import Result
from lab.soak.way_back import READY, WayBack, way_back

_CALM = (0.2, 1.5)  # seconds between outages, at random
_OUTAGE = (0.2, 2.5)  # seconds


def down_outages(folder: Path, say: Callable[[str], None], *, count: int) -> Result:
    """Close or freeze the bridge's link to the broker ``count`` times."""

    def outage(way: WayBack, rng: random.Random) -> None:
        link = way.place.link
        if rng.random() < 1 / 2:
            link.close()
            way.place.play(rng.uniform(*_OUTAGE))
            link.open()
        else:
            link.freeze()
            way.place.play(rng.uniform(*_OUTAGE))
            if rng.random() < 1 / 2:  # what is under way never arrives
                link.close()
                link.open()
            link.thaw()

    return _played(folder, say, "the link", count, outage)


def down_server(folder: Path, say: Callable[[str], None], *, count: int) -> Result:
    """End the network server's connection ``count`` times, some of them for long."""

    def outage(way: WayBack, rng: random.Random) -> None:
        way.server.stop()
        way.place.play(rng.uniform(*_OUTAGE))
        way.server.start()

    return _played(folder, say, "the network server", count, outage)


def _played(
    folder: Path,
    say: Callable[[str], None],
    what: str,
    count: int,
    outage: Callable[[WayBack, random.Random], None],
) -> Result:
    rng = random.Random(1)  # noqa: S311  # the same outages every time
    with (
        way_back(folder, {"aws": {"max_backoff": 2}}) as way,
        running_bridge(way.place.config) as bridge,
    ):
        bridge.says(READY)
        with way.asking:
            for number in range(count):
                way.place.play(rng.uniform(*_CALM))
                say(f"{what} is gone, {number + 1} of {count}")
                outage(way, rng)
            way.finish()
        return way.result(f"{count} times", [])
