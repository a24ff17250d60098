"""What is committed to the spool stays there, in order, until it is delivered."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bridge import spool as spool_module
from bridge.errors import BridgeError
from bridge.message import Message
from bridge.spool import Entry, Refused, Spool, Waiting
from bridge.timestamps import Placement

PLACEMENT = Placement("a1/d1", 1, 2, b"digest")


def entries(*ids: int, device: str = "d1") -> list[Entry]:
    """Return entries of one device with payloads that tell them apart."""
    return [Entry(i, Message(f"lora/a1/{device}", b"payload %d" % i), PLACEMENT) for i in ids]


def ids(found: list[Waiting]) -> list[int]:
    """Return the ids of what was read."""
    return [waiting.id for waiting in found]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the spool of a test is."""
    return tmp_path / "spool.db"


def test_what_is_committed_is_read_in_order(path: Path) -> None:
    """Messages come back whole and in the order of receipt, from a given one on."""
    with Spool(path) as spool:
        spool.commit(entries(1, 2, 3), [], [])
        found = spool.read(1, 10, 0, 1)
        assert found == [
            Waiting(2, Message("lora/a1/d1", b"payload 2")),
            Waiting(3, Message("lora/a1/d1", b"payload 3")),
        ]
        assert ids(spool.read(0, 2, 0, 1)) == [1, 2]


def test_delivered_messages_are_gone(path: Path) -> None:
    """What was delivered is not read again, also not after reopening."""
    with Spool(path) as spool:
        spool.commit(entries(1, 2, 3), [], [])
        spool.commit([], [2], [])
    with Spool(path) as spool:
        assert ids(spool.read(0, 10, 0, 1)) == [1, 3]
        assert spool.waiting() == (2, 2 * len("lora/a1/d1payload 1"))


def test_numbering_goes_on_after_reopening(path: Path) -> None:
    """New entries are numbered after all that wait."""
    with Spool(path) as spool:
        assert spool.next_id == 1
        spool.commit(entries(1, 2), [], [])
    with Spool(path) as spool:
        assert spool.next_id == 3


def test_devices_are_spread_and_stay_together(path: Path) -> None:
    """Each device belongs to exactly one of several connections."""
    with Spool(path) as spool:
        spool.commit(
            [e for n in range(50) for e in entries(2 * n, 2 * n + 1, device=f"d{n}")], [], []
        )
        shares = [spool.read(-1, 1000, share, 4) for share in range(4)]
    topics = [{waiting.message.topic for waiting in share} for share in shares]
    assert sum(len(share) for share in shares) == 100
    assert sum(len(each) for each in topics) == 50
    assert all(topics)


def test_refused_messages_wait_aside(path: Path) -> None:
    """A refused message is read only as such, and only when its time has come."""
    with Spool(path) as spool:
        spool.commit(entries(1, 2), [], [])
        spool.commit([], [], [Refused(1, retry_at=100.0)])
        assert ids(spool.read(0, 10, 0, 1)) == [2]
        assert ids(spool.read_refused(99.0, 10, 0, 1)) == []
        assert ids(spool.read_refused(100.0, 10, 0, 1)) == [1]
        assert spool.waiting()[0] == 2


def test_refused_messages_stand_in_line_again_after_reopening(path: Path) -> None:
    """A new run tries every message anew, in the order of receipt."""
    with Spool(path) as spool:
        spool.commit(entries(1, 2), [], [Refused(1, retry_at=1e9)])
    with Spool(path) as spool:
        assert ids(spool.read(0, 10, 0, 1)) == [1, 2]


def test_placements_are_kept_for_the_next_run(path: Path) -> None:
    """A new run learns the placements, also of messages delivered since."""
    with Spool(path) as spool:
        spool.commit(entries(1), [], [])
        spool.commit([], [1], [])
    with Spool(path) as spool:
        assert spool.placements() == [PLACEMENT]


def test_only_the_newest_placements_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record of placements does not grow without limit."""
    monkeypatch.setattr(spool_module, "REMEMBERED", 5)
    with Spool(path) as spool:
        for number in range(1, 10):
            spool.commit(entries(number), [], [])
        assert len(spool.placements()) == 5


def test_a_failed_commit_changes_nothing(path: Path) -> None:
    """All of a commit happens, or none of it."""
    with Spool(path) as spool:
        spool.commit(entries(1), [], [])
        with pytest.raises(sqlite3.IntegrityError):
            spool.commit(entries(2, 1), [1], [])
        assert ids(spool.read(0, 10, 0, 1)) == [1]
        spool.commit(entries(2), [], [])


def test_it_is_as_durable_as_promised(path: Path) -> None:
    """The file is in WAL mode and every commit is synced."""
    with Spool(path) as spool:
        pragma = spool._db.execute  # noqa: SLF001  # of the connection itself
        assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
        assert pragma("PRAGMA synchronous").fetchone() == (2,)


WRITER = """
import sys
from bridge.message import Message
from bridge.spool import Entry, Spool
from bridge.timestamps import Placement
with Spool(__import__("pathlib").Path(sys.argv[1])) as spool:
    for i in range(1, 1_000_000):
        entry = Entry(i, Message("lora/a/d", b"x" * 500), Placement("a/d", i, i, b""))
        spool.commit([entry], [], [])
        print(i, flush=True)
"""


def test_sigkill_loses_nothing_committed(path: Path) -> None:
    """After SIGKILL at any moment, every message whose commit had returned is there."""
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        committed = [int(writer.stdout.readline()) for _ in range(200)]
        os.kill(writer.pid, signal.SIGKILL)
        committed += [int(line) for line in writer.stdout.read().split(b"\n")[:-1]]
    with Spool(path) as spool:
        found = ids(spool.read(0, 1_000_000, 0, 1))
    assert found[: len(committed)] == committed
    assert len(found) <= len(committed) + 1


def test_in_use_by_another_process(path: Path) -> None:
    """A spool that another bridge has open is not opened."""
    with Spool(path), pytest.raises(BridgeError, match="in use by another lora-bridge"):
        Spool(path)


def test_reopening_after_an_error_is_possible(path: Path) -> None:
    """A failed opening leaves no lock behind."""
    path.write_bytes(b"not a database" * 100)
    for _ in range(2):
        with pytest.raises(BridgeError, match="cannot open the spool: file is not a database"):
            Spool(path)


def test_spool_of_a_newer_version(path: Path) -> None:
    """A file that a newer version wrote is left alone, with the way out in the message."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(BridgeError, match="newer lora-bridge"):
        Spool(path)


def test_folder_that_is_missing(tmp_path: Path) -> None:
    """A spool in a folder that does not exist is one clear error."""
    with pytest.raises(
        BridgeError, match=r"missing/spool\.db: cannot open the spool: No such file"
    ):
        Spool(tmp_path / "missing" / "spool.db")
