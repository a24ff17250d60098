"""Keeps frames on disk from their receipt to their PUBACK. Blocking; used by one thread.

SQLite in WAL mode with synchronous FULL: what ``commit`` has returned from survives a crash of
the process and of the machine (sqlite.org/pragma.html#pragma_synchronous).
"""

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from bridge.messages.timestamper import REMEMBERED, Placement
from bridge.spool import downlinks, placements, queue, refused, rejected, salvage
from bridge.spool.batch import Batch
from bridge.spool.evidence import require_spool
from bridge.spool.file import LOCK, Lock, beside, connect
from bridge.spool.placements import Placements
from bridge.spool.salvage import DamagedError, MovedError
from bridge.spool.waiting import Share, Stretch, Waiting
from bridge.spool.wal import PAGE
from contract.errors import BridgeError

_log = logging.getLogger(__name__)

_BEGIN = "BEGIN IMMEDIATE"  # what a connection ends as a context: it commits, or rolls back
_FREE_PAGES = 1000  # kept for what comes next
_SHRINK_PAGES = 500  # given back at a time, which takes as long as a few commits

_Arguments = ParamSpec("_Arguments")
_T = TypeVar("_T")


def _on_a_sound_file(
    method: Callable[Concatenate["Spool", _Arguments], _T],
) -> Callable[Concatenate["Spool", _Arguments], _T]:
    """Run it again on a sound file if this one turns out to be damaged."""

    @wraps(method)
    def run(spool: "Spool", /, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _T:
        if spool.damage is not None:  # an attempt to mend it failed, on a full disk perhaps
            spool.mend(spool.damage)
        try:
            return method(spool, *args, **kwargs)
        except sqlite3.Error as error:
            if not salvage.is_damage(error):
                raise
            spool.mend(error)
            return method(spool, *args, **kwargs)

    return run


class Spool:
    """The queue on disk. Open it in one process at a time.

    ``last_id`` is the number of the last message committed; ``damage`` what is wrong with the file
    and not mended; ``ran_until`` when an earlier run marked last that it ran, None where none did.
    ``mendings`` is how often it was mended since it was opened, or for that.
    ``on_progress`` is called while it is mended, which takes long if it holds much. At least the
    newest ``remembered`` placements are kept.

    Raises:
        BridgeError: the file cannot be opened, is in use, or was written by another version.

    """

    def __init__(
        self,
        path: Path,
        on_progress: Callable[[], object] = lambda: None,
        remembered: int = REMEMBERED,
    ) -> None:
        self._path = path = path.resolve()
        self._on_progress = on_progress
        self.damage: Exception | None = None
        self.mendings = 0
        self._mended = False  # since the last commit
        self._remembered = remembered
        self.last_id = self._refusals = self._version = 0
        with ExitStack() as stack:
            try:
                require_spool(path)
                self._presence = Lock(beside(path, LOCK), path)
                stack.callback(self._presence.release)
                self.ran_until = self._presence.marked()
                self.mendings += salvage.finish(path)
                self._lock = Lock(path, path)
                stack.callback(lambda: self._lock.release())  # noqa: PLW0108  # there may be another
                self._open()
                stack.callback(self._close)
                self._begin()
            except (sqlite3.Error, OSError) as error:
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

    def mark_running(self, now: int) -> None:
        """Mark that the bridge runs and reads, in microseconds since 1970.

        Raises:
            OSError: it cannot be written.

        """
        self._presence.mark(now)

    @_on_a_sound_file
    def commit(self, batch: Batch) -> bool:
        """Make the changes of a batch, all at once, and durably. Ids only ever grow.

        Return whether messages may have been lost since the last commit, because the file was
        damaged: what waits is to be counted anew then.

        Raises:
            sqlite3.Error: nothing was changed.

        """
        with self._db:
            self._db.execute(_BEGIN)
            queue.insert(self._db, batch.arrived)
            self._placements.keep(self._db, batch.placements)
            queue.remove(self._db, batch.delivered)
            if batch.refused:
                refused.note(self._db, batch.refused, self._refusals + 1)
                self._refusals += len(batch.refused)
            if batch.read_again:
                rejected.drop(self._db, batch.read_again)
            if batch.downlinks:
                downlinks.keep(self._db, batch.downlinks.values())
            if batch.claims:
                downlinks.claim(self._db, batch.claims)
        self._placements.committed()
        if batch.arrived:
            self.last_id = batch.arrived[-1].id
        mended, self._mended = self._mended, False
        return mended

    @_on_a_sound_file
    def read(self, after: int, limit: int, share: Share) -> Stretch:
        """Return the messages of a share after id ``after``, in order, about ``limit`` bytes.

        Refused ones are not among them.
        """
        found, whole = queue.read(self._db, after, limit, share)
        return Stretch(found, self.last_id if whole else found[-1].id)

    @_on_a_sound_file
    def oldest(self) -> Waiting | None:
        """Return the message with the least id, None where none waits."""
        return queue.oldest(self._db)

    @_on_a_sound_file
    def oldest_refused(self, after_topic: str) -> Waiting | None:
        """Return what was refused longest ago of the next topic after ``after_topic`` with any."""
        return refused.oldest(self._db, after_topic)

    @_on_a_sound_file
    def refused(self, topic: str, after: int, limit: int) -> list[Waiting]:
        """Return the refused messages of a topic after id ``after``, in order."""
        return refused.of_topic(self._db, topic, after, limit)

    @_on_a_sound_file
    def asked(self, limit: int) -> list[Waiting]:
        """Return refused messages that a person wants to be tried now, in order."""
        return refused.asked(self._db, limit)

    @_on_a_sound_file
    def count_refused(self) -> tuple[int, int]:
        """Return how many messages were refused, and their bytes."""
        return refused.size(self._db)

    @_on_a_sound_file
    def changed_by_others(self) -> bool:
        """Say whether another process has changed the spool since the last time."""
        before, self._version = (
            self._version,
            int(self._db.execute("PRAGMA data_version").fetchone()[0]),
        )
        return before != self._version

    @_on_a_sound_file
    def on_file(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do some work on rejected or refused ones at once, and durably.

        Raises:
            sqlite3.Error: nothing was changed.

        """
        with self._db:
            self._db.execute(_BEGIN)
            return work(self._db)

    @_on_a_sound_file
    def look(self, at: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return what ``at`` finds in the file.

        Raises:
            sqlite3.Error: it cannot be read.

        """
        return at(self._db)

    @_on_a_sound_file
    def shrink(self) -> bool:
        """Give some free pages back to the file system; return whether there may be more."""
        free = int(self._db.execute("PRAGMA freelist_count").fetchone()[0])
        if free <= _FREE_PAGES:
            return False
        # `execute` would take one step, which is one page.
        self._db.executescript(f"PRAGMA incremental_vacuum({_SHRINK_PAGES})")
        self._db.execute("PRAGMA wal_checkpoint").fetchall()  # only then the file is cut
        return True

    @_on_a_sound_file
    def room(self) -> int:
        """Return how many bytes more the file can take, on its disk and in pages of its own."""
        disk = os.statvfs(self._path.parent)
        free_pages = int(self._db.execute("PRAGMA freelist_count").fetchone()[0])
        return disk.f_bavail * disk.f_frsize + free_pages * PAGE

    @_on_a_sound_file
    def placements(self) -> list[Placement]:
        """Return the placements to start from, oldest first."""
        return placements.read(self._db)

    @_on_a_sound_file
    def count_waiting(self) -> tuple[int, int]:
        """Return how many messages wait, and their bytes."""
        return queue.size(self._db)

    def _open(self) -> None:
        try:
            salvage.examine(self._path)
            self._connect()
        except DamagedError as error:
            self._replace(error)
        except sqlite3.DatabaseError as error:
            if not salvage.is_damage(error):
                raise
            self._replace(error)

    def _connect(self) -> None:
        self._db = connect(self._path)
        self._placements = Placements(self._remembered)  # which file it is tells how far they are
        self._identity = self._look()

    def _look(self) -> list[tuple[int, int]]:
        """Return what the paths of the file and its log lead to."""
        parts = (self._path, beside(self._path, "-wal"))
        return [(each.st_dev, each.st_ino) for each in map(os.stat, parts)]

    @_on_a_sound_file
    def require_in_place(self) -> bool:
        """Mend the spool if its file or log was removed or replaced; return whether it was.

        Raises:
            OSError, sqlite3.Error: it cannot be mended; to be called again.

        """
        try:
            moved = self._look() != self._identity
        except OSError:
            moved = True
        if moved:
            self.mend(MovedError("removed or replaced while in use"))
        return moved

    @_on_a_sound_file
    def _begin(self) -> None:
        """Learn where an earlier run ended."""
        self.last_id = queue.greatest(self._db, "id")
        self._refusals = queue.greatest(self._db, "refused")
        self.changed_by_others()

    def _close(self) -> None:
        self._db.close()

    def mend(self, damage: Exception) -> None:
        """Go on with a sound file.

        Raises:
            OSError, sqlite3.Error: it cannot be written; to be called again.

        """
        self.damage = damage
        if not isinstance(damage, MovedError):
            with salvage.log_kept(self._path):
                self._db.close()
        self._replace(damage)
        self.damage = None
        self._mended = True

    def _replace(self, damage: Exception) -> None:
        live = self._db if isinstance(damage, MovedError) else None
        saved = salvage.salvage(self._path, self._on_progress, live)
        if live is not None:
            live.close()  # before there is a new log, which it would remove
            # If what follows fails, the next attempt reads the file: nothing is open any more.
            self.damage = DamagedError("the file in its place could not be opened")
        _log.error(
            "spool: %s was damaged (%s): moved to %s; %d messages saved from it",
            *(self._path, damage, saved.aside, saved.messages),
        )
        self.mendings += 1
        former, self._lock = self._lock, Lock(self._path, self._path)
        former.release()
        self._connect()
