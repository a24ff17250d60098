"""Under requests for downlinks the clock goes back, the disk fills up, the spool is damaged."""

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from lab.rig.running_bridge import running_bridge
from lab.soak.result import Result
from lab.soak.scenarios.disk import PAGE, fill, small_disk
from lab.soak.way_back import READY, way_back

_BEFORE, _AFTER = 2.0, 3.0  # seconds of a fault's requests
_FULL = 3.0  # seconds
_TOLD = 1.0  # seconds, for events to be published


def down_clock_back(folder: Path, say: Callable[[str], None]) -> Result:
    """Set the host's clock back an hour; the network server answers all that it is given."""
    with way_back(folder, answered=1.0) as way:
        command = [sys.executable, "-m", "lab.soak.clock_back"]
        with running_bridge(way.place.config, command) as bridge:
            bridge.says(READY)
            with way.asking:
                bridge.says("check this host's clock")
                say("the clock went back an hour")
                way.place.play(_AFTER)
                way.finish()
        return way.result("none unanswered: these would end an hour later", [])


def down_disk_full(folder: Path, say: Callable[[str], None], *, count: int) -> Result:
    """Fill the disk with a file of somebody else, ``count`` times."""
    with small_disk(folder) as disk:
        other = disk / "other"
        with (
            way_back(folder, {"spool": {"path": str(disk / "spool.db")}}) as way,
            running_bridge(way.place.config) as bridge,
        ):
            bridge.says(READY)
            with way.asking:
                for number in range(count):
                    way.place.play(_BEFORE)
                    fill(other)
                    say(f"the disk is full, {number + 1} of {count}")
                    way.place.play(_FULL)
                    other.unlink()
                way.finish()
            full = "database or disk is full" in bridge.log
            return way.result(f"{count} times", [(full, "the disk was never full")])


def down_damaged(folder: Path, say: Callable[[str], None]) -> Result:
    """Write noise over a page of open downlinks, and start the bridge again."""
    with way_back(folder) as way:
        with running_bridge(way.place.config) as bridge:
            bridge.says(READY)
            with way.asking:
                way.place.play(_BEFORE)
                way.server.stop()  # from here on downlinks wait
                way.place.play(_BEFORE)
            way.place.play(_TOLD)
            bridge.stop()
        on_page = _damage(way.place.spool)
        say(f"noise over a page with {on_page} open downlinks")
        with running_bridge(way.place.config) as bridge:
            bridge.says(READY)
            way.server.start()
            bridge.says("messages saved from it")
            way.finish()
        return way.result(f"{on_page} open ones were on the page", [])


def _damage(spool: Path) -> int:
    """Write noise over the page of an open downlink; return how many of those are on it."""
    with closing(sqlite3.connect(spool)) as database:
        query = "SELECT downlink FROM downlinks WHERE ended IS NULL ORDER BY number"
        downlinks = [bytes(downlink) for (downlink,) in database.execute(query)]
    content = spool.read_bytes()
    begin = content.index(downlinks[len(downlinks) // 2]) // PAGE * PAGE
    page = content[begin : begin + PAGE]
    with spool.open("r+b") as file:
        file.seek(begin)
        file.write(b"\xff" * PAGE)
    return sum(each in page for each in downlinks)
