"""Two bridges for one network: each frame goes to both, and makes one row."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from lab.rig.running_bridge import running_bridge
from lab.rig.spools import committed, waiting
from lab.soak.backend import Backend
from lab.soak.frames import frame
from lab.soak.result import Result, result
from lab.soak.sender import Sender
from lab.soak.site import wait_until

_RATE = 200  # frames a second
_DRAIN_LIMIT = 60.0  # seconds


def pair(backend: Backend, folder: Path, say: Callable[[str], None], *, seconds: float) -> Result:
    """Send the same frames to two bridges for ``seconds``; one of them stops half-way."""
    frames: dict[int, bytes] = {}

    def same(number: int) -> bytes:
        return frames.setdefault(number, frame(number, backend.application))

    spools = []
    with backend.subscribed() as session, ExitStack() as stack:
        senders, bridges = [], []
        for name in backend.bridges:
            own = folder / name
            own.mkdir()
            config, port = backend.configure(own, name)
            spools.append(own / "spool.db")
            bridge = stack.enter_context(running_bridge(config))
            bridge.says("ready: ")
            bridges.append(bridge)
            senders.append(stack.enter_context(Sender(port, _RATE, same)))
        time.sleep(seconds / 2)
        say("one of the two stops")
        bridges[1].stop()
        time.sleep(seconds / 2)
        for sender in senders:
            sender.stop()
        wait_until(lambda: waiting(spools[0]) == 0, _DRAIN_LIMIT, "the spool to drain")
        sent = senders[0].sent_at.keys() | senders[1].sent_at.keys()
        arrived = backend.arrived(session, len(sent))
    rows = backend.rows(len(arrived.numbers))
    return result(
        sent=sent,
        committed=sum(map(committed, spools)),
        arrived=arrived,
        rows=len(rows),
        remarks="published by both, stored once",
        promises=[
            (arrived.numbers >= sent, "frames were lost"),
            (arrived.total > len(arrived.numbers), "only one of the two published"),
            (sorted(arrived.numbers) == sorted(rows), "rows and different frames disagree"),
        ],
    )
