"""A spool stays one file that one bridge has: what others do to it while it is open is noticed."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.messages.message import Message
from bridge.spool.batch import Batch
from bridge.spool.spool import Spool
from bridge.spool.waiting import Share, Waiting
from contract.errors import BridgeError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the spool is to be."""
    return tmp_path / "spool.db"


def keep(spool: Spool, *numbers: int) -> None:
    """Commit messages."""
    messages = [Waiting.of(n, Message("lora/a1/d1", b"payload %d" % n)) for n in numbers]
    spool.commit(Batch(messages, [], [], []))


def ids(spool: Spool) -> list[int]:
    """Return the ids of what waits."""
    return [each.id for each in spool.read(0, 10**9, Share(0, 1)).messages]


def remove(path: Path) -> None:
    """Remove the database."""
    path.unlink()


def remove_log(path: Path) -> None:
    """Remove the write-ahead log."""
    path.with_name("spool.db-wal").unlink()


def remove_all(path: Path) -> None:
    """Remove every file of the spool."""
    for each in path.parent.glob("spool.db*"):
        each.unlink()


def move(path: Path) -> None:
    """Move the database."""
    path.rename(path.with_name("elsewhere.db"))


def replace(path: Path) -> None:
    """Put another spool in its place, with a log."""
    with Spool(path.with_name("other.db")) as other:
        keep(other, 7)
        for suffix in ("-wal", ""):
            path.with_name("other.db" + suffix).replace(path.with_name("spool.db" + suffix))


def replace_by_text(path: Path) -> None:
    """Put a file that is no spool in its place."""
    path.unlink()
    path.write_text("nothing")


@pytest.mark.parametrize(
    "happens", [remove, remove_log, remove_all, move, replace, replace_by_text]
)
def test_a_file_that_is_removed_or_replaced_is_noticed(
    path: Path, happens: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """All that was committed goes on in a new file, where a killed bridge will look for it."""
    with Spool(path) as spool:
        keep(spool, 1, 2, 3)
        assert not spool.require_in_place()
        happens(path)
        assert spool.require_in_place()
        assert not spool.require_in_place()
        keep(spool, 4)
        assert ids(spool) == [1, 2, 3, 4]
    with Spool(path) as spool:
        assert ids(spool) == [1, 2, 3, 4]
    assert "removed or replaced while in use" in caplog.text
    assert "3 messages saved from it" in caplog.text


def test_a_new_file_that_cannot_be_opened_is_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has everything, and the next attempt goes on with it."""
    connect = Spool._connect  # noqa: SLF001  # the last step
    failures = iter([sqlite3.OperationalError("database or disk is full")])

    def failing(spool: Spool) -> None:
        for failure in failures:
            raise failure
        connect(spool)

    with Spool(path) as spool:
        keep(spool, 1, 2, 3)
        remove(path)
        monkeypatch.setattr(Spool, "_connect", failing)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            spool.require_in_place()
        assert ids(spool) == [1, 2, 3]
        keep(spool, 4)
    with Spool(path) as spool:
        assert ids(spool) == [1, 2, 3, 4]


def test_what_took_the_place_is_moved_aside_whole(path: Path) -> None:
    """Somebody may want it."""
    with Spool(path) as spool:
        replace_by_text(path)
        spool.require_in_place()
    assert path.with_name("spool.db.damaged-1").read_text() == "nothing"


def test_a_database_that_is_emptied_while_open_costs_nothing(path: Path) -> None:
    """What its log has is saved before SQLite closes the spool, which removes the log."""
    with Spool(path) as spool:
        keep(spool, *range(1, 200))
        os.truncate(path, 0)
        spool._db.execute("PRAGMA shrink_memory")  # noqa: SLF001  # it has read the pages before
        assert ids(spool) == [*range(1, 200)]
    with Spool(path) as spool:
        assert ids(spool) == [*range(1, 200)]


def symlink(path: Path) -> Path:
    """Give the spool another name, as a symbolic link."""
    other = path.with_name("link.db")
    other.symlink_to(path)
    return other


def hard_link(path: Path) -> Path:
    """Give the spool a second name."""
    other = path.with_name("second.db")
    other.hardlink_to(path)
    return other


def no_lock_file(path: Path) -> Path:
    """Remove the lock file beside the spool."""
    path.with_name("spool.db.lock").unlink()
    return path


def folder_link(path: Path) -> Path:
    """Give the spool's folder another name."""
    other = path.parent.with_name("folder-link")
    other.symlink_to(path.parent)
    return other / path.name


@pytest.mark.parametrize("way", [symlink, hard_link, no_lock_file, folder_link])
def test_a_second_bridge_gets_in_by_no_way(path: Path, way: Callable[[Path], Path]) -> None:
    """The file itself is locked, under whatever name, also after it was replaced."""
    with Spool(path) as spool:
        keep(spool, 1)
        with pytest.raises(BridgeError, match="in use by another lora-bridge"):
            Spool(way(path))
        keep(spool, 2)
        assert ids(spool) == [1, 2]


def test_a_spool_that_was_replaced_is_locked(path: Path) -> None:
    """The new file is as much one bridge's as the old one was."""
    with Spool(path) as spool:
        remove(path)
        spool.require_in_place()
        path.with_name("spool.db.lock").unlink()
        with pytest.raises(BridgeError, match="in use by another lora-bridge"):
            Spool(path)


def test_a_spool_behind_a_link_is_where_the_link_leads(path: Path) -> None:
    """Its log is beside the file, so that both names lead to one spool."""
    with Spool(path) as spool:
        keep(spool, 1)
    with Spool(symlink(path)) as spool:
        keep(spool, 2)
        assert path.with_name("spool.db-wal").exists()
    with Spool(path) as spool:
        assert ids(spool) == [1, 2]


def test_a_spool_is_its_owners_alone(path: Path) -> None:
    """Nobody else reads what devices sent, whichever of its files it is in."""
    with Spool(path) as spool:
        keep(spool, 1)
        remove(path)
        spool.require_in_place()
        keep(spool, 2)
        modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes
