"""The bridge is killed at random moments, over and over, and the table shows what became of it."""

import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rig.running_bridge import running_bridge
from rig.spools import committed, waiting
from soak.backend import Backend
from soak.frames import frame
from soak.result import Result, result
from soak.sender import Sender
from soak.site import wait_until

_RATE = 200  # frames a second
_LIFE = (0.3, 1.5)  # seconds from listening to the end, at random
_AT_RISK = 0.020  # seconds before a kill: what was written then may be lost
_DRAIN_LIMIT = 60.0  # seconds


def kills(backend: Backend, folder: Path, say: Callable[[str], None], *, count: int) -> Result:
    """Kill a bridge ``count`` times under frames, and let the last one finish."""
    config, port = backend.configure(folder, backend.bridges[0])
    spool = folder / "spool.db"
    with backend.subscribed() as session:
        with Sender(port, _RATE, partial(frame, application=backend.application)) as sender:
            ends = [_one_life(config, say, f"kill {n + 1} of {count}") for n in range(count)]
            with running_bridge(config) as bridge:
                bridge.says("ready: ")
                sender.stop()
                wait_until(lambda: waiting(spool) == 0, _DRAIN_LIMIT, "the spool to drain")
        kept = committed(spool)
        arrived = backend.arrived(session, kept)
    rows = backend.rows(len(arrived.numbers))
    risks = {n: _before_a_kill(sender.sent_at[n], ends) for n in sender.sent_at}
    lost = risks.keys() - arrived.numbers
    longest = max((risks[number] for number in lost), default=0.0)
    return result(
        sent=sender.sent_at,
        committed=kept,
        arrived=arrived,
        rows=len(rows),
        remarks=f"{count} kills; the lost were written {1000 * longest:.1f} ms before one or later",
        promises=[
            (longest <= _AT_RISK, "frames were lost that were not at risk"),
            (len(arrived.numbers) >= kept, "committed frames were lost"),
            (sorted(arrived.numbers) == sorted(rows), "rows and different frames disagree"),
        ],
    )


def _one_life(config: Path, say: Callable[[str], None], what: str) -> tuple[float, float]:
    """Run a bridge for a random time; return when it was killed and when it was gone."""
    with running_bridge(config) as bridge:
        bridge.says("listening")
        time.sleep(random.uniform(*_LIFE))  # noqa: S311  # no secret comes of it
        killed = time.monotonic()
        bridge.process.kill()
        bridge.process.wait()
    gone = time.monotonic()
    say(what)
    return killed, gone


def _before_a_kill(moment: float, ends: list[tuple[float, float]]) -> float:
    """Return the seconds from a moment to the next kill; 0 while a bridge was about to end."""
    following = [max(0.0, killed - moment) for killed, gone in ends if moment <= gone]
    return min(following, default=float("inf"))
