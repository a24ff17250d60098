"""Spools as a killed bridge leaves them: part in the database, part in the write-ahead log."""

import shutil
from pathlib import Path

from bridge.messages.message import Message
from bridge.messages.timestamper import Placement
from bridge.spool.batch import Batch
from bridge.spool.spool import Spool
from bridge.spool.waiting import Share, Waiting

COUNT = 2000


def crashed(folder: Path, count: int = COUNT) -> Path:
    """Commit messages one by one; return the path of a spool as a kill after the last leaves it."""
    path = folder / "crashed" / "spool.db"
    with Spool(folder / "spool.db") as spool:
        for number in range(1, count + 1):
            message = Message("lora/a1/d1", b"payload %d " % number + b"x" * 200)
            placement = Placement("a1/d1", number, number, b"")
            spool.commit(Batch([Waiting.of(number, message)], [placement], [], []))
        path.parent.mkdir()
        for part in folder.glob("spool.db*"):
            shutil.copyfile(part, path.parent / part.name)
    return path


def saved(path: Path) -> list[int]:
    """Return the ids of the messages that a new run reads, each of them whole."""
    with Spool(path) as spool:
        messages = spool.read(0, 10**9, Share(0, 1)).messages
    for each in messages:
        assert each.payload == b"payload %d " % each.id + b"x" * 200
    return [each.id for each in messages]
