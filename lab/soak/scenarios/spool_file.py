"""Somebody or something damages or takes the spool's files, before a start or under a bridge."""

import os
from collections.abc import Callable
from pathlib import Path

from bridge.spool.wal import PAGE, parse_log
from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.rig.spools import waiting
from lab.soak.frames import frame
from lab.soak.result import Result, result
from lab.soak.sender import Sender
from lab.soak.site import Site, site

_RATE = 1000  # frames a second
_LITTLE = 150  # frames, all of which are in the log alone
_BACKLOG = 5000  # frames, most of which SQLite has moved from the log to the database
_LIMIT = 120.0  # seconds
_MAX_ON_A_PAGE = 40  # messages of these frames


def damaged_log(folder: Path, say: Callable[[str], None]) -> Result:
    """Flip a bit in the write-ahead log of a killed bridge, and start it again."""
    with site(folder) as place:
        sender = _backlog(place, _BACKLOG, _kill)
        say("a bit flipped")
        log = place.spool.with_name(place.spool.name + "-wal")
        content = bytearray(log.read_bytes())
        content[len(parse_log(bytes(content)).places) // 2 * PAGE] ^= 1
        log.write_bytes(content)
        return _started_again(place, sender, _MAX_ON_A_PAGE)


def emptied(folder: Path, say: Callable[[str], None]) -> Result:
    """Empty the database of a killed bridge beside its log, and start it again."""
    with site(folder) as place:
        sender = _backlog(place, _LITTLE, _kill)
        say("the database emptied")
        os.truncate(place.spool, 0)
        return _started_again(place, sender, 0)


def removed(folder: Path, say: Callable[[str], None]) -> Result:
    """Remove the files of a running bridge, kill it a moment later, and start it again."""

    def take(bridge: RunningBridge) -> None:
        for part in ("", "-wal", "-shm"):
            place.spool.with_name(place.spool.name + part).unlink()
        say("the files removed")
        bridge.says("removed or replaced while in use")
        _kill(bridge)

    with site(folder) as place:
        sender = _backlog(place, _BACKLOG, take)
        return _started_again(place, sender, 0, saves=False)


def _backlog(place: Site, count: int, then: Callable[[RunningBridge], None]) -> Sender:
    """Have frames committed and not published, and then do something to the bridge."""
    place.link.close()
    with running_bridge(place.config) as bridge:
        bridge.says("listening")
        with Sender(place.port, _RATE, frame) as sender:
            place.wait_until(lambda: len(sender.sent_at) >= count, _LIMIT, "a backlog")
        place.wait_until(
            lambda: waiting(place.spool) == len(sender.sent_at), _LIMIT, "all to be on disk"
        )
        then(bridge)
    return sender


def _kill(bridge: RunningBridge) -> None:
    bridge.process.kill()
    bridge.process.wait()


def _started_again(place: Site, sender: Sender, may_lose: int, *, saves: bool = True) -> Result:
    """Start the bridge with its broker, and see what arrives."""
    place.link.open()
    with running_bridge(place.config) as bridge:
        bridge.says("ready: ")
        place.wait_until(lambda: waiting(place.spool) == 0, _LIMIT, "the spool to drain")
        said = bridge.log
    arrived = place.arrived()
    lost = len(sender.sent_at.keys() - arrived.numbers)
    return result(
        sent=sender.sent_at,
        committed=place.committed(),
        arrived=arrived,
        remarks="said what was saved, and where the rest is",
        promises=[
            (lost <= may_lose, f"{lost} frames lost"),
            ("messages saved from it" in said or not saves, "not said"),
            (arrived.out_of_order == 0, "a device's frames came out of order"),
        ],
    )
