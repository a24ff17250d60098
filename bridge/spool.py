"""Keeps frames on disk from their receipt to their PUBACK. Blocking; used by one thread.

SQLite in WAL mode with synchronous FULL: what ``commit`` has returned from survives a crash of
the process and of the machine (sqlite.org/pragma.html#pragma_synchronous).
"""

import fcntl
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from bridge.errors import BridgeError
from bridge.message import Message
from bridge.timestamps import REMEMBERED, Placement

_VERSION = 1
_SCHEMA = f"""
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE waiting (
    id INTEGER PRIMARY KEY,   -- order of receipt
    shard INTEGER NOT NULL,   -- spreads devices over connections
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    retry_at REAL             -- of a refused one: when to try again, else NULL
);
CREATE INDEX refused ON waiting (retry_at) WHERE retry_at IS NOT NULL;
CREATE TABLE placement (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    wanted INTEGER NOT NULL,
    given INTEGER NOT NULL,
    digest BLOB NOT NULL
);
PRAGMA user_version = {_VERSION};
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A frame to keep: its message, its placement, and its number in the order of receipt."""

    id: int
    message: Message
    placement: Placement


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits for its PUBACK."""

    id: int
    message: Message


@dataclass(frozen=True, slots=True)
class Refused:
    """A waiting message that is not to be read before ``retry_at``, in the caller's seconds."""

    id: int
    retry_at: float


class Spool:
    """The queue on disk. Open it in one process at a time.

    Raises:
        BridgeError: the file cannot be opened, is in use, or was written by a newer version.

    """

    def __init__(self, path: Path) -> None:
        with ExitStack() as stack:
            stack.enter_context(_lock(path))
            try:
                # One thread uses it at a time, but not always the one that opened it.
                self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                stack.callback(self._db.close)
                self._prepare(path)
                self.next_id = self._largest_id() + 1
            except sqlite3.Error as error:
                raise BridgeError(f"{path}: cannot open the spool: {error}") from None
            self._resources = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resources.close()

    def commit(
        self, entries: Sequence[Entry], delivered: Iterable[int], refused: Iterable[Refused]
    ) -> None:
        """Keep ``entries``, forget the ``delivered`` ids and set the ``refused`` ones aside.

        All of it happens at once, and durably.

        Raises:
            sqlite3.Error: nothing was changed.

        """
        with self._transaction():
            self._db.executemany(
                "INSERT INTO waiting (id, shard, topic, payload) VALUES (?, ?, ?, ?)",
                [_row(entry) for entry in entries],
            )
            self._db.executemany(
                "INSERT INTO placement (device, wanted, given, digest) VALUES (?, ?, ?, ?)",
                [(p.device, p.wanted, p.given, p.digest) for p in (e.placement for e in entries)],
            )
            self._db.execute(
                "DELETE FROM placement WHERE id <= (SELECT max(id) FROM placement) - ?",
                (REMEMBERED,),
            )
            self._db.executemany("DELETE FROM waiting WHERE id = ?", [(i,) for i in delivered])
            self._db.executemany(
                "UPDATE waiting SET retry_at = ? WHERE id = ?",
                [(each.retry_at, each.id) for each in refused],
            )

    def read(self, after: int, limit: int, connection: int, connections: int) -> list[Waiting]:
        """Return the next messages after id ``after`` of one of several connections, in order.

        Refused ones are not among them.
        """
        rows = self._db.execute(
            "SELECT id, topic, payload FROM waiting"
            " WHERE id > ? AND shard % ? = ? AND retry_at IS NULL ORDER BY id LIMIT ?",
            (after, connections, connection, limit),
        )
        return [Waiting(row[0], Message(row[1], row[2])) for row in rows]

    def read_refused(
        self, now: float, limit: int, connection: int, connections: int
    ) -> list[Waiting]:
        """Return refused messages of one connection whose time to be tried again has come."""
        rows = self._db.execute(
            "SELECT id, topic, payload FROM waiting"
            " WHERE retry_at <= ? AND shard % ? = ? ORDER BY retry_at LIMIT ?",
            (now, connections, connection, limit),
        )
        return [Waiting(row[0], Message(row[1], row[2])) for row in rows]

    def placements(self) -> list[Placement]:
        """Return the placements to start from, oldest first."""
        rows = self._db.execute("SELECT device, wanted, given, digest FROM placement ORDER BY id")
        return [Placement(*row) for row in rows]

    def waiting(self) -> tuple[int, int]:
        """Return how many messages wait, and their bytes."""
        row = self._db.execute(
            "SELECT count(*), ifnull(sum(length(topic) + length(payload)), 0) FROM waiting"
        ).fetchone()
        return int(row[0]), int(row[1])

    def _prepare(self, path: Path) -> None:
        version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        if version > _VERSION:
            raise BridgeError(
                f"{path}: written by a newer lora-bridge (spool version {version}, this one reads"
                f" {_VERSION}): run that one, or let it drain the spool first"
            )
        if version == 0:
            self._db.executescript(_SCHEMA)
        self._db.execute("PRAGMA synchronous = FULL")
        # Times to retry are of an earlier process's clock, so all wait in line again.
        self._db.execute("UPDATE waiting SET retry_at = NULL WHERE retry_at IS NOT NULL")
        self._db.execute("PRAGMA incremental_vacuum").fetchall()

    def _largest_id(self) -> int:
        return int(self._db.execute("SELECT ifnull(max(id), 0) FROM waiting").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def size(message: Message) -> int:
    """Return what ``Spool.waiting`` counts for a message, in bytes."""
    return len(message.topic) + len(message.payload)


def _row(entry: Entry) -> tuple[int, int, str, bytes]:
    message = entry.message
    return entry.id, _shard(message.topic), message.topic, message.payload


def _shard(topic: str) -> int:
    """Return a number that is the same for every message of a device, now and after restarts."""
    return zlib.crc32(topic.encode())


def _lock(path: Path) -> IO[str]:
    """Hold a lock file beside the spool: SQLite's own locks would not keep a second bridge out."""
    lock_path = path.with_name(path.name + ".lock")
    with ExitStack() as stack:
        try:
            file = stack.enter_context(lock_path.open("a"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BridgeError(f"{path}: the spool is in use by another lora-bridge") from None
        except OSError as error:
            raise BridgeError(f"{path}: cannot open the spool: {error.strerror}") from None
        stack.pop_all()
        return file
