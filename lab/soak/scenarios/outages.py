"""The broker goes away in three ways while frames keep coming."""

from collections.abc import Callable
from pathlib import Path

from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.rig.spools import committed, waiting
from lab.rig.usage import resident
from lab.soak.frames import frame
from lab.soak.result import Result, result
from lab.soak.sender import Sender
from lab.soak.site import Site, site

_RATE = 200  # frames a second
_NOTICE_LIMIT = 45.0  # seconds
_DRAIN_LIMIT = 120.0  # seconds
_SETTLE = 2.0  # seconds
_MAX_GROWTH = 25.0  # MB


def outages(
    folder: Path, say: Callable[[str], None], *, seconds: float, max_backoff: int = 10
) -> Result:
    """Break the link in three ways, for ``seconds`` each, under frames all the time.

    Closed: connections break and are refused. Black hole: they stay open, and nothing passes.
    Mute: new connections are taken, and nobody answers.
    """
    with site(folder, {"aws": {"max_backoff": max_backoff}}) as place:
        with running_bridge(place.config) as bridge:
            bridge.says("ready: ")
            with Sender(place.port, _RATE, frame) as sender:
                place.play(_SETTLE)
                say("closed")
                place.link.close()
                place.play(seconds)
                back = [_returns(place, bridge, place.link.open)]
                place.play(_SETTLE)
                before = resident(bridge.process.pid)  # with what it remembers of frames
                say("a black hole")
                place.link.freeze()
                noticed = _notices(place, bridge)
                place.play(max(0.0, seconds - noticed))
                back.append(_returns(place, bridge, place.link.thaw))
                say("mute")
                place.link.close()
                place.link.freeze()
                place.link.open()
                place.play(seconds)
                back.append(_returns(place, bridge, place.link.thaw))
                place.play(_SETTLE)
            place.wait_until(lambda: waiting(place.spool) == 0, _DRAIN_LIMIT, "the spool to drain")
            after = resident(bridge.process.pid)
        arrived = place.arrived()
        return result(
            sent=sender.sent_at,
            committed=committed(place.spool),
            arrived=arrived,
            remarks=f"noticed after {noticed:.0f} s; back after"
            f" {', '.join(f'{each:.1f}' for each in back)} s; {before:.0f} → {after:.0f} MB",
            promises=[
                (arrived.numbers >= sender.sent_at.keys(), "frames were lost"),
                (arrived.out_of_order == 0, "a device's frames came out of order"),
                (noticed <= _NOTICE_LIMIT, f"noticed only after {noticed:.0f} s"),
                (max(back) <= max_backoff, f"back only after {max(back):.1f} s"),
                (after - before < _MAX_GROWTH, f"memory grew by {after - before:.0f} MB"),
            ],
        )


def _notices(place: Site, bridge: RunningBridge) -> float:
    said = bridge.log.count("no connection")
    return place.wait_until(
        lambda: bridge.log.count("no connection") > said, 2 * _NOTICE_LIMIT, "the bridge to notice"
    )


def _returns(place: Site, bridge: RunningBridge, repair: Callable[[], None]) -> float:
    """Repair the link; return the seconds until the bridge is connected and something arrives."""
    connections = bridge.log.count("connected to localhost")
    repair()
    seconds = place.wait_until(
        lambda: bridge.log.count("connected to localhost") > connections,
        _DRAIN_LIMIT,
        "a connection",
    )
    total = place.tally.total
    return seconds + place.wait_until(lambda: place.tally.total > total, _DRAIN_LIMIT, "a message")
