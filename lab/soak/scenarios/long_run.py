"""Faults at random, under all the frames that go through, for long: what grows, grows here."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.rig.spools import waiting
from lab.rig.usage import descriptors, resident
from lab.soak.frames import frame
from lab.soak.result import Result, broken
from lab.soak.sender import Flood
from lab.soak.site import Site, site

_SPOOL = 50_000_000  # bytes: full within seconds of an outage, and some seconds' work to drain
_LIVES = (1, 4, 16)  # faults of the link in a bridge's life, one of these at random
_CALM = (3.0, 8.0)  # seconds between faults, at random
_OUTAGE = (0.5, 5.0)  # seconds that a fault of the link takes, at random
_DRAIN_LIMIT = 180.0  # seconds
_MAX_MEMORY = 100.0  # MB
_MAX_FILES = 60
_MAX_SPOOL = 16_777_216  # bytes of spool.db and its log at the end
_SHRINK_LIMIT = 120.0  # seconds


@dataclass
class Watched:
    """What a run has seen of its bridges: peaks, and how many were killed."""

    memory: float = 0.0
    files: int = 0
    kills: int = 0

    def look(self, bridge: RunningBridge) -> None:
        """Take the peaks of what is in use now."""
        self.memory = max(self.memory, resident(bridge.process.pid))
        self.files = max(self.files, descriptors(bridge.process.pid))


def long_run(folder: Path, say: Callable[[str], None], *, minutes: float) -> Result:
    """Kill the bridge, cut the link or freeze it, over and over, and look at what is left."""
    rng = random.Random(1)  # noqa: S311  # the same faults every time
    seen = Watched()
    with site(folder, {"spool": {"max_bytes": _SPOOL}}) as place, ExitStack() as stack:
        flood = stack.enter_context(Flood(place.port, frame))
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            _one_life(place, rng, seen, end, say)
        say("draining")
        bridge = stack.enter_context(running_bridge(place.config))
        bridge.says("ready: ")
        flood.stop()
        place.wait_until(lambda: waiting(place.spool) == 0, _DRAIN_LIMIT, "the spool to drain")
        place.wait_until(lambda: _size(place.spool) < _MAX_SPOOL, _SHRINK_LIMIT, "it to shrink")
        seen.look(bridge)
        place.look()
        arrived, kept = place.tally, place.committed()
        return Result(
            sent=flood.begun,
            committed=kept,
            published=arrived.total,
            delivered=arrived.distinct,
            lost=flood.begun - arrived.distinct,
            out_of_order=arrived.out_of_order,
            rows=None,
            remarks=f"{minutes:.0f} min, {seen.kills} kills; at most {seen.memory:.0f} MB and"
            f" {seen.files} files; spool {_size(place.spool) / 1e6:.0f} MB at the end",
            problems=broken(
                [
                    (arrived.distinct >= kept, "committed frames were lost"),
                    (arrived.out_of_order == 0, "a device's frames came out of order"),
                    (seen.memory < _MAX_MEMORY, f"{seen.memory:.0f} MB"),
                    (seen.files < _MAX_FILES, f"{seen.files} files"),
                ]
            ),
        )


def _one_life(
    place: Site, rng: random.Random, seen: Watched, end: float, say: Callable[[str], None]
) -> None:
    """Run a bridge through some faults of the link, and kill it."""
    with running_bridge(place.config) as bridge:
        bridge.says("listening")
        for fault in rng.choices(["closed", "frozen"], k=rng.choice(_LIVES)):
            if time.monotonic() > end:
                break
            place.play(rng.uniform(*_CALM))
            seen.look(bridge)
            say(f"{fault}, {max(0, end - time.monotonic()):.0f} s to go")
            if fault == "closed":
                place.link.close()
                place.play(rng.uniform(*_OUTAGE))
                place.link.open()
            else:
                place.link.freeze()
                place.play(rng.uniform(*_OUTAGE))
                place.link.thaw()
        place.play(rng.uniform(*_CALM))
        seen.look(bridge)
        bridge.process.kill()
        bridge.process.wait()
        seen.kills += 1


def _size(spool: Path) -> int:
    return sum(part.stat().st_size for part in spool.parent.glob(f"{spool.name}*"))
