"""The bridge is killed at random moments, over and over, and the table shows what became of it."""

import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lab.rig.disk_pauses import DiskPauses, disk_pauses
from lab.rig.running_bridge import running_bridge
from lab.rig.spools import committed, waiting
from lab.soak.backend import Backend
from lab.soak.death import Death, before_a_death
from lab.soak.frames import frame
from lab.soak.result import Result, result
from lab.soak.sender import Sender
from lab.soak.site import wait_until

_RATE = 200  # frames a second
_LIFE = (0.3, 1.5)  # seconds from listening to the end, at random
_AT_RISK = 0.020  # seconds before a kill: what was written then may be lost
_DRAIN_LIMIT = 60.0  # seconds


def kills(backend: Backend, folder: Path, say: Callable[[str], None], *, count: int) -> Result:
    """Kill a bridge ``count`` times under frames, and let the last one finish."""
    config, port = backend.configure(folder, backend.bridges[0])
    spool = folder / "spool.db"
    with backend.subscribed() as session, disk_pauses(folder) as pauses:
        with Sender(port, _RATE, partial(frame, application=backend.application)) as sender:
            ends = [
                _one_life(config, pauses, say, f"kill {n + 1} of {count}") for n in range(count)
            ]
            with running_bridge(config) as bridge:
                bridge.says("ready: ")
                sender.stop()
                wait_until(lambda: waiting(spool) == 0, _DRAIN_LIMIT, "the spool to drain")
        written = committed(spool)
        arrived = backend.arrived(session, written)
        kept = written - backend.gaps(session)
    rows = backend.rows(len(arrived.numbers))
    risks = {n: before_a_death(sender.sent_at[n], ends) for n in sender.sent_at}
    lost = risks.keys() - arrived.numbers
    longest = max((risks[number] for number in lost), default=0.0)
    paused = sum(end.paused_since < end.killed for end in ends)
    return result(
        sent=sender.sent_at,
        committed=kept,
        arrived=arrived,
        rows=len(rows),
        remarks=f"{count} kills, {paused} in a pause of the disk; the lost were written"
        f" {1000 * longest:.1f} ms before one, or such a pause, or later",
        promises=[
            (longest <= _AT_RISK, "frames were lost that were not at risk"),
            (len(arrived.numbers) >= kept, "committed frames were lost"),
            (sorted(arrived.numbers) == sorted(rows), "rows and different frames disagree"),
        ],
    )


def _one_life(config: Path, pauses: DiskPauses, say: Callable[[str], None], what: str) -> Death:
    """Run a bridge for a random time; return its end."""
    with running_bridge(config) as bridge:
        bridge.says("listening")
        time.sleep(random.uniform(*_LIFE))  # noqa: S311  # no secret comes of it
        killed = time.monotonic()
        bridge.process.kill()
        bridge.process.wait()
    gone = time.monotonic()
    say(what)
    return Death(killed, gone, pauses.since(killed))
