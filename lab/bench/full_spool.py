"""Fills a spool as a bridge without a connection would, only faster."""

import os
from itertools import count, islice
from pathlib import Path

from bridge.messages.message import build
from bridge.messages.timestamper import Timestamper
from bridge.spool.batch import Batch
from bridge.spool.spool import Spool
from bridge.spool.waiting import Waiting
from contract.deployment import UNNAMED
from lab.bench.load import numbered
from lab.bench.report import say
from lab.rig.uplinks import uplink_of

_COMMIT = 10_000  # messages in one commit
_SAY_EVERY = 100_000  # messages


def fill(path: Path, total: int) -> None:
    """Make a spool of ``total`` messages, of the numbered frames and with their placements.

    Nothing of it is left in the page cache.
    """
    timestamper = Timestamper()
    frames = islice(numbered(), total)
    with Spool(path) as spool:
        while chunk := list(islice(frames, _COMMIT)):
            uplinks = [uplink_of(frame[:-1]) for frame in chunk]
            placements = [timestamper.place(each, min(each.received_at)) for each in uplinks]
            messages = [
                build(uplink, placement.given, UNNAMED)
                for uplink, placement in zip(uplinks, placements, strict=True)
            ]
            arrived = list(map(Waiting.of, count(spool.last_id + 1), messages))
            spool.commit(Batch(arrived, placements))
            if spool.last_id % _SAY_EVERY == 0:
                say(f"  {spool.last_id:,} of {total:,} in the spool")
    _forget_cached(path)


def _forget_cached(path: Path) -> None:
    """Have the file read from the disk, as after the host's restart (see posix_fadvise(2))."""
    with path.open("rb") as file:
        os.fsync(file.fileno())  # pages that are not on disk yet cannot be forgotten
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
