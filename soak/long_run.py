"""Faults at random under frames for a long time: what grows, grows here."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rig.running_bridge import RunningBridge, running_bridge
from rig.spools import committed, waiting
from rig.usage import descriptors, resident
from soak.frames import frame
from soak.result import Result, result
from soak.sender import Sender
from soak.site import Site, site

_RATE = 1000  # frames a second
_CALM = (3.0, 8.0)  # seconds between faults, at random
_OUTAGE = (0.5, 5.0)  # seconds that a fault of the link takes, at random
_DRAIN_LIMIT = 180.0  # seconds
_AT_RISK = 0.050  # seconds before a kill at this rate: what was written then may be lost
_MAX_MEMORY = 100.0  # MB
_MAX_FILES = 60
_MAX_SPOOL = 16_777_216  # bytes of spool.db and its log at the end
_SHRINK_LIMIT = 120.0  # seconds


@dataclass
class Watched:
    """What a run has seen of its bridges: peaks, and when each was killed and gone."""

    memory: float = 0.0
    files: int = 0
    ends: list[tuple[float, float]] = field(default_factory=list)

    def look(self, bridge: RunningBridge) -> None:
        """Take the peaks of what is in use now."""
        self.memory = max(self.memory, resident(bridge.process.pid))
        self.files = max(self.files, descriptors(bridge.process.pid))


def long_run(folder: Path, say: Callable[[str], None], *, minutes: float) -> Result:
    """Kill the bridge, cut the link or freeze it, over and over, and look at what is left."""
    rng = random.Random(1)  # noqa: S311  # the same faults every time
    seen = Watched()
    with site(folder) as place, ExitStack() as stack:
        sender = stack.enter_context(Sender(place.port, _RATE, frame))
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            _one_life(place, rng, seen, end, say)
        say("draining")
        bridge = stack.enter_context(running_bridge(place.config))
        bridge.says("ready: ")
        sender.stop()
        place.wait_until(lambda: waiting(place.spool) == 0, _DRAIN_LIMIT, "the spool to drain")
        place.wait_until(lambda: _size(place.spool) < _MAX_SPOOL, _SHRINK_LIMIT, "it to shrink")
        seen.look(bridge)
        arrived = place.arrived()
        kept = committed(place.spool)
        lost = sender.sent_at.keys() - arrived.numbers
        unexplained = [n for n in lost if not _at_risk(sender.sent_at[n], seen.ends)]
        return result(
            sent=sender.sent_at,
            committed=kept,
            arrived=arrived,
            remarks=f"{minutes:.0f} min, {len(seen.ends)} kills; at most {seen.memory:.0f} MB and"
            f" {seen.files} files; spool {_size(place.spool) / 1e6:.0f} MB at the end",
            promises=[
                (not unexplained, f"{len(unexplained)} frames lost that were not at risk"),
                (len(arrived.numbers) >= kept, "committed frames were lost"),
                (seen.memory < _MAX_MEMORY, f"{seen.memory:.0f} MB"),
                (seen.files < _MAX_FILES, f"{seen.files} files"),
            ],
        )


def _one_life(
    place: Site, rng: random.Random, seen: Watched, end: float, say: Callable[[str], None]
) -> None:
    """Run a bridge through some faults of the link, and kill it."""
    with running_bridge(place.config) as bridge:
        bridge.says("listening")
        for fault in rng.choices(["closed", "frozen"], k=rng.randint(1, 4)):
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
        killed = time.monotonic()
        bridge.process.kill()
        bridge.process.wait()
        seen.ends.append((killed, time.monotonic()))


def _at_risk(moment: float, ends: list[tuple[float, float]]) -> bool:
    return any(killed - _AT_RISK <= moment <= gone for killed, gone in ends)


def _size(spool: Path) -> int:
    return sum(part.stat().st_size for part in spool.parent.glob(f"{spool.name}*"))
