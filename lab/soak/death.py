"""How bridges are killed at a step of a downlink, and what was at risk when one was."""

import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.rig.disk_pauses import DiskPauses
from lab.rig.running_bridge import running_bridge
from lab.soak import dying_bridge

_LIFE = 6.0  # seconds, after which a bridge that has not killed itself is killed


@dataclass(frozen=True)
class Death:
    """When a bridge was killed and gone, and since when the disk had kept it from committing.

    ``step`` is where it killed itself, nothing if it did not.
    """

    killed: float
    gone: float
    paused_since: float
    step: str = ""


def before_a_death(moment: float, deaths: Iterable[Death]) -> float:
    """Return the seconds from a moment until commits ended; 0 while a bridge was about to end."""
    following = [max(0.0, each.paused_since - moment) for each in deaths if moment <= each.gone]
    return min(following, default=float("inf"))


def dies(config: Path, step: str, passages: int, pauses: DiskPauses | None = None) -> Death:
    """Run a bridge until it passes a step for the nth time, or for too long."""
    command = [sys.executable, "-m", dying_bridge.__name__, step, str(passages)]
    with running_bridge(config, command) as bridge:
        try:
            bridge.process.wait(_LIFE)
            killed = float(bridge.log.rpartition(dying_bridge.DYING)[2])
        except subprocess.TimeoutExpired:
            step, killed = "", time.monotonic()
            bridge.process.kill()
            bridge.process.wait()
    since = pauses.since(killed) if pauses else killed
    return Death(killed, time.monotonic(), since, step)
