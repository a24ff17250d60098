"""Under ChirpStack's uplinks the spool's disk fills up, or the clock goes back."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from lab.rig.running_bridge import running_bridge
from lab.soak.chirp_site import NOW_AND_THEN, READY, SOON, chirp_site
from lab.soak.result import Result
from lab.soak.scenarios.disk import fill, small_disk

_RATE = 3000  # uplinks a second
_AFTER = 2.0  # seconds of a fault
_BACK = 2.0  # seconds: within the scenario, so that times come a second time

Say = Callable[[str], None]


def chirp_disk_full(folder: Path, say: Say) -> Result:
    """Fill the disk with uplinks while AWS is away, and then with a file of somebody else."""
    with (
        small_disk(folder) as disk,
        chirp_site(
            folder,
            rate=_RATE,
            settings={"aws": SOON, "spool": {"path": str(disk / "spool.db")}},
            broker=NOW_AND_THEN,
        ) as field,
        running_bridge(field.place.config) as bridge,
    ):
        bridge.says("ready: ")
        with field.chirpstack:
            field.place.link.close()
            bridge.says("spool: full")
            say("the disk is full of uplinks")
            field.place.play(_AFTER)
            field.place.link.open()
            bridge.says("spool: room again")
            say("AWS is back, and there is room again")
            other = disk / "other"
            fill(other)
            say("the disk is full of something else")
            field.place.play(_AFTER)
            held = len(field.chirpstack.accepted) - field.rows.distinct
            other.unlink()
            field.finish()
        return field.result(
            f"the second time {held:,} waited", [(held > 0, "the disk was not full")]
        )


def chirp_clock_back(folder: Path, say: Say) -> Result:
    """Set the bridge's clock back an hour, and then ChirpStack's a few seconds."""
    back = 0.0
    with chirp_site(folder, clock=lambda: time.time() - back) as field:
        command = [sys.executable, "-m", "lab.soak.clock_back"]
        with running_bridge(field.place.config, command) as bridge:
            bridge.says(READY)
            with field.chirpstack:
                bridge.says("check both clocks")
                say("the bridge's clock went back an hour")
                field.place.play(_BACK)
                back = _BACK
                say("ChirpStack's clock went back, too")
                field.place.play(_BACK)
                field.finish()
            said = bridge.log.count("check both clocks")
        return field.result("said once, with what to check", [(said == 1, f"said {said} times")])
