"""What is committed to the spool stays there, in order, until it is delivered."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from bridge.messages.message import Message
from bridge.messages.timestamper import Placement
from bridge.spool.batch import Batch
from bridge.spool.refused import Refusal
from bridge.spool.salvage import DamagedError
from bridge.spool.spool import Spool
from bridge.spool.waiting import Share, Waiting
from contract.errors import BridgeError

ALL = Share(0, 1)
PLACEMENT = Placement("a1/d1", 1, 2, b"digest")


def arrived(*ids: int, device: str = "d1") -> list[Waiting]:
    """Return messages of one device with payloads that tell them apart."""
    return [Waiting.of(i, Message(f"lora/a1/{device}", b"payload %d" % i)) for i in ids]


def keep(spool: Spool, *ids: int) -> None:
    """Commit messages of one device."""
    spool.commit(Batch(arrived(*ids), [PLACEMENT] * len(ids), [], []))


def ids(spool: Spool, after: int = 0, limit: int = 10_000) -> list[int]:
    """Return the ids of what is read."""
    return [each.id for each in spool.read(after, limit, ALL).messages]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the spool of a test is."""
    return tmp_path / "spool.db"


def test_what_is_committed_is_read_in_order(path: Path) -> None:
    """Messages come back whole and in the order of receipt, from a given one on."""
    with Spool(path) as spool:
        keep(spool, 1, 2, 3)
        assert spool.read(1, 10_000, ALL).messages == arrived(2, 3)


def test_a_read_ends_when_it_has_enough_bytes(path: Path) -> None:
    """A read stops at its limit and says how far it got, or that it got everything."""
    with Spool(path) as spool:
        keep(spool, 1, 2, 3)
        stretch = spool.read(0, arrived(1)[0].size + 1, ALL)
        assert ([each.id for each in stretch.messages], stretch.up_to) == ([1, 2], 2)
        assert spool.read(2, 10_000, ALL).up_to == 3
        keep(spool, 4)
        spool.commit(Batch([], [], [4], []))
        assert spool.read(3, 10_000, ALL).up_to == 4


def test_many_at_once_are_all_kept(path: Path) -> None:
    """A commit may hold any number of messages."""
    with Spool(path) as spool:
        keep(spool, *range(1, 1002))
        assert ids(spool, limit=10**6) == [*range(1, 1002)]
        spool.commit(Batch([], [], [*range(1, 1001)], []))
        assert ids(spool) == [1001]


def test_delivered_messages_are_gone(path: Path) -> None:
    """What was delivered is not read again, also not after reopening."""
    with Spool(path) as spool:
        keep(spool, 1, 2, 3)
        spool.commit(Batch([], [], [2], []))
    with Spool(path) as spool:
        assert ids(spool) == [1, 3]
        assert spool.count_waiting() == (2, 2 * len("lora/a1/d1payload 1"))


def test_numbering_goes_on_after_reopening(path: Path) -> None:
    """It knows the largest number given to anything that waits."""
    with Spool(path) as spool:
        assert spool.last_id == 0
        keep(spool, 1, 2)
        assert spool.last_id == 2
    with Spool(path) as spool:
        assert spool.last_id == 2


def test_devices_are_spread_and_stay_together(path: Path) -> None:
    """Each device belongs to exactly one of several connections."""
    with Spool(path) as spool:
        for n in range(50):
            spool.commit(Batch(arrived(2 * n + 1, 2 * n + 2, device=f"d{n}"), [], [], []))
        shares = [spool.read(0, 10_000, Share(number, 4)).messages for number in range(4)]
    topics = [{each.topic for each in share} for share in shares]
    assert sum(len(share) for share in shares) == 100
    assert sum(len(each) for each in topics) == 50
    assert all(topics)


def refusals(*numbers: int) -> list[Refusal]:
    """Return refusals by AWS IoT."""
    return [Refusal(number, "NOT_AUTHORIZED (0x87)", final=False) for number in numbers]


def refused(*numbers: int, device: str = "d1") -> list[Waiting]:
    """Return messages as they are read once they were refused."""
    return [replace(each, refused=True) for each in arrived(*numbers, device=device)]


def test_refused_messages_wait_aside(path: Path) -> None:
    """A refused message is read only as such: by topic, in order, the oldest refusal first."""
    with Spool(path) as spool:
        keep(spool, 1, 2, 3, 4)
        spool.commit(Batch(arrived(5, device="d2"), [], [], refusals(2, 1)))
        spool.commit(Batch([], [], [], refusals(5, 3)))
        assert ids(spool) == [4]
        assert spool.oldest_refused("") == refused(2)[0]
        assert spool.oldest_refused("lora/a1/d1") == refused(5, device="d2")[0]
        assert spool.oldest_refused("lora/a1/d2") is None
        assert spool.refused("lora/a1/d1", 0, 10) == refused(1, 2, 3)
        assert spool.refused("lora/a1/d1", 1, 1) == refused(2)
        assert spool.count_waiting()[0] == 5


def test_refused_messages_stay_aside_after_reopening(path: Path) -> None:
    """A new run knows what was refused, and what longest ago; learning it takes no room on disk."""
    with Spool(path) as spool:
        keep(spool, 1, 2, 3)
        spool.commit(Batch([], [], [], refusals(2, 1)))
    with Spool(path) as spool:
        assert spool._db.total_changes == 0  # noqa: SLF001  # of the connection itself
        assert ids(spool) == [3]
        spool.commit(Batch([], [], [], refusals(2)))
        assert spool.oldest_refused("") == refused(1)[0]


def test_placements_are_kept_for_the_next_run(path: Path) -> None:
    """A new run learns the placements, also of messages delivered since."""
    with Spool(path) as spool:
        keep(spool, 1, 2)
        spool.commit(Batch([], [], [1, 2], []))
    with Spool(path) as spool:
        assert spool.placements() == [PLACEMENT, PLACEMENT]


def test_only_the_newest_placements_are_kept(path: Path) -> None:
    """The record of placements does not grow without limit, and holds the promised number."""
    with Spool(path, remembered=5) as spool:
        for number in range(10):
            placements = [Placement("a1/d1", number, n, b"") for n in range(3)]
            spool.commit(Batch([], placements, [], []))
        assert [each.wanted for each in spool.placements()] == [8, 8, 8, 9, 9, 9]


def test_short_runs_keep_no_more_placements(path: Path) -> None:
    """What many short runs have placed is removed too."""
    for number in range(40):
        with Spool(path, remembered=50) as spool:  # which may keep five more
            spool.commit(Batch([], [Placement("a1/d1", number, 0, b"")] * 3, [], []))
    with Spool(path) as spool:
        assert 50 <= len(spool.placements()) <= 55


def test_a_full_disk_forgets_no_placements(path: Path) -> None:
    """However often a commit is tried in vain, those of earlier ones are kept."""
    with Spool(path, remembered=5) as spool:
        keep(spool, 1, 2)
        pragma = spool._db.execute  # noqa: SLF001  # of the connection itself
        (pages,) = pragma("PRAGMA page_count").fetchone()
        (most,) = pragma("PRAGMA max_page_count").fetchone()
        pragma(f"PRAGMA max_page_count = {pages}").fetchall()
        for _ in range(10):
            with pytest.raises(sqlite3.OperationalError, match="full"):
                spool.commit(Batch([], [Placement("a1/d1", 1, 2, bytes(10_000))], [], []))
        pragma(f"PRAGMA max_page_count = {most}").fetchall()
        spool.commit(Batch([], [PLACEMENT], [], []))
        assert spool.placements() == [PLACEMENT] * 3


def test_a_mended_file_says_how_far_its_placements_are(path: Path) -> None:
    """It may have more of them than were known: a commit that failed may be in its log."""
    with Spool(path) as spool:
        keep(spool, 1, 2)
        row = (3, msgspec.msgpack.encode([PLACEMENT]))
        spool.on_file(lambda file: file.execute("INSERT INTO placements VALUES (?, ?)", row))
        spool.mend(DamagedError("for this test"))
        keep(spool, 3)
        assert spool.placements() == [PLACEMENT] * 4


def test_a_failed_commit_changes_nothing(path: Path) -> None:
    """All of a commit happens, or none of it."""
    with Spool(path) as spool:
        keep(spool, 1)
        with pytest.raises(sqlite3.IntegrityError):
            spool.commit(Batch(arrived(2, 1), [PLACEMENT], [1], []))
        assert ids(spool) == [1]
        keep(spool, 2)


def test_it_is_as_durable_as_promised(path: Path) -> None:
    """The file is in WAL mode and every commit is synced."""
    with Spool(path) as spool:
        pragma = spool._db.execute  # noqa: SLF001  # of the connection itself
        assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
        assert pragma("PRAGMA synchronous").fetchone() == (2,)


WRITER = """
import sys
from bridge.messages.message import Message
from bridge.spool.batch import Batch
from bridge.spool.refused import Refusal
from bridge.spool.salvage import DamagedError
from bridge.spool.spool import Spool
from bridge.spool.waiting import Waiting
from bridge.messages.timestamper import Placement
with Spool(__import__("pathlib").Path(sys.argv[1])) as spool:
    for i in range(1, 1_000_000):
        arrived = Waiting.of(i, Message("lora/a/d", b"x" * 500))
        spool.commit(Batch([arrived], [Placement("a/d", i, i, b"")], [], []))
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
        found = ids(spool, limit=10**9)
    assert found[: len(committed)] == committed
    assert len(found) <= len(committed) + 1


def test_in_use_by_another_process(path: Path) -> None:
    """A spool that another bridge has open is not opened."""
    with Spool(path), pytest.raises(BridgeError, match="in use by another lora-bridge"):
        Spool(path)


def test_reopening_after_an_error_is_possible(path: Path) -> None:
    """A failed opening leaves no lock behind."""
    path.mkdir()
    for _ in range(2):
        with pytest.raises(BridgeError, match="not a file"):
            Spool(path)


def test_spool_of_another_version(path: Path) -> None:
    """A file that another version wrote is left alone, with the way out in the message."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(BridgeError, match=r"another lora-bridge \(spool version 99, .* drain"):
        Spool(path)
    assert path.read_bytes() == before


def test_folder_that_is_missing(tmp_path: Path) -> None:
    """A spool in a folder that does not exist is one clear error."""
    with pytest.raises(
        BridgeError, match=r"missing/spool\.db: cannot open the spool: No such file"
    ):
        Spool(tmp_path / "missing" / "spool.db")
