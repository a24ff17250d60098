"""Rejected frames are in the spool's file until they are read again, dropped, or displaced."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bridge.messages.message import Message
from bridge.spool import file, rejected
from bridge.spool.batch import Batch
from bridge.spool.file import join
from bridge.spool.rejected import ROW, ListedFrame, Rejected
from bridge.spool.spool import Spool
from bridge.spool.waiting import Share, Waiting

_TIME = 1_790_000_000_123_000


def junk(number: int, reason: str = "not JSON", size: int = 10) -> Rejected:
    """Return a rejected frame that begins with its number."""
    frame = (b"%d " % number).ljust(size, b"x")
    return Rejected(_TIME + number, "127.0.0.1:6500", reason, whole=True, frame=frame)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the spool of a test is."""
    return tmp_path / "spool.db"


def keep(spool: Spool, *frames: Rejected) -> None:
    """Keep frames."""
    spool.on_file(partial(rejected.keep, frames=frames))


def ids(spool: Spool) -> list[int]:
    """Return the numbers of all that is kept."""
    return [each.id for each in spool.on_file(rejected.listed)]


def test_a_frame_is_there_for_the_next_run(path: Path) -> None:
    """It has a line of its own, and comes back as it was."""
    whole = junk(1, size=1000)
    part = Rejected(_TIME, "[::1]:6500", "oversized", whole=False, frame=b"\xff{")
    with Spool(path) as spool:
        keep(spool, whole, part)
    with Spool(path) as spool:
        time = "2026-09-21T14:13:20.123001Z"
        begin = "1 " + "x" * 58
        lines = spool.on_file(rejected.listed)
        assert lines[0] == ListedFrame(1, time, "127.0.0.1:6500", "not JSON", 1000, begin)
        assert (lines[1].bytes, lines[1].frame) == (2, "\ufffd{")
        found = [spool.on_file(partial(rejected.found, number=n)) for n in (1, 2, 3)]
    assert found == [whole, part, None]


def test_the_oldest_of_each_reason_go_first(path: Path) -> None:
    """A reason has no more than its share, and takes nothing from another's."""
    with Spool(path) as spool:
        keep(spool, junk(1, "bad EUI"), *map(junk, range(2, 102)), junk(102, "bad EUI"))
        for reason in ("not JSON", "bad EUI"):
            trim = partial(rejected.trim, reason=reason, max_bytes=10 * (10 + ROW))
            spool.on_file(trim)
            assert ids(spool) == [1, *range(92, 102), 102]
        spool.on_file(partial(rejected.trim, reason="not JSON", max_bytes=0))
        assert ids(spool) == [1, 102]


def test_a_number_is_given_once(path: Path) -> None:
    """Whoever names a frame never means a later one."""
    with Spool(path) as spool:
        keep(spool, junk(1), junk(2))
        spool.on_file(partial(rejected.drop, numbers=[2]))
    with Spool(path) as spool:
        keep(spool, junk(3))
        assert ids(spool) == [1, 3]


def test_what_another_process_asks_for_is_seen(path: Path) -> None:
    """A command marks frames while the bridge has the spool, and the bridge says what they are."""
    with Spool(path) as spool, closing(join(path)) as command:
        keep(spool, *map(junk, range(1, 6)))
        rejected.ask(command, [2, 3, 4])
        assert rejected.waiting(command) == {2, 3, 4}
        asked = spool.on_file(partial(rejected.asked, limit=2))
        assert asked == [(2, junk(2)), (3, junk(3))]
        spool.on_file(partial(rejected.reject_again, reasons=[("bad EUI", 2)]))
        assert rejected.waiting(command) == {3, 4}
        assert [each.reason for each in rejected.listed(command)][1] == "bad EUI"


def test_a_frame_becomes_a_message_at_once_or_not_at_all(path: Path) -> None:
    """The commit that keeps the message is the one that removes the frame."""
    made = Waiting.of(1, Message("lora/a/d", b"{}"))
    with Spool(path) as spool:
        keep(spool, junk(1), junk(2))
        with pytest.raises(sqlite3.IntegrityError):
            spool.commit(Batch([made, made], [], [], [], [1]))
        assert (ids(spool), spool.count_waiting()[0]) == ([1, 2], 0)
        spool.commit(Batch([made], [], [], [], [1]))
        assert (ids(spool), spool.count_waiting()[0]) == ([2], 1)


def messages_of_an_older_bridge(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Waiting]:
    """Make a spool as it was before there was a table of rejected frames; return what waits."""
    messages = [Waiting.of(n, Message("lora/a/d", b"x" * 1000)) for n in range(1, 100)]
    with monkeypatch.context() as patch:
        patch.setattr(file, "_REJECTED", "")
        patch.setattr(file, "_REFUSED", "")
        patch.setattr(file, "_DOWNLINKS", "")
        with Spool(path) as spool:
            spool.commit(Batch(messages, [], [], []))
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                ids(spool)
    return messages


def test_a_spool_of_an_older_bridge(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without the table gets it, and what waits in it stays."""
    messages = messages_of_an_older_bridge(path, monkeypatch)
    with Spool(path) as spool:
        assert ids(spool) == []
        keep(spool, junk(1))
        assert spool.read(0, 10**9, Share(0, 1)).messages == messages


@pytest.mark.parametrize("older", [False, True])
def test_a_damaged_beginning_costs_no_rejected_frame(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, older: bool
) -> None:
    """The file's first page is known without it, whenever the table was added."""
    messages = messages_of_an_older_bridge(path, monkeypatch) if older else []
    with Spool(path) as spool:
        keep(spool, *map(junk, range(1, 100)))
    with path.open("r+b") as file:
        file.write(b"not a database" * (4096 // 14))
    with Spool(path) as spool:
        assert ids(spool) == [*range(1, 100)]
        assert spool.read(0, 10**9, Share(0, 1)).messages == messages
        keep(spool, junk(100))
        assert ids(spool)[-1] == 100
