"""The spool's file: its schema, its version, whose it is, and that one process at a time has it."""

import fcntl
import os
import sqlite3
from contextlib import ExitStack
from pathlib import Path

from contract.errors import BridgeError

_VERSION = 3
LOCK = ".lock"
_MARK = 20  # digits
MODE = 0o600  # what devices sent is nobody else's
_MAX_LOG = 8_388_608  # bytes of the write-ahead log that stay on disk when it is empty again
_SCHEMA = f"""
BEGIN;
CREATE TABLE waiting (
    id INTEGER PRIMARY KEY,   -- order of receipt
    shard INTEGER NOT NULL,   -- spreads devices over connections
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    refused INTEGER           -- if AWS IoT refused it: which refusal that was last, else NULL
);
CREATE INDEX refused_by_id ON waiting (topic) WHERE refused IS NOT NULL;
CREATE INDEX refused_by_age ON waiting (topic, refused) WHERE refused IS NOT NULL;
CREATE TABLE placements (
    last INTEGER PRIMARY KEY,   -- the number of the last of them; the first ever has 1
    several BLOB NOT NULL       -- those of one commit, as MessagePack
);
PRAGMA user_version = {_VERSION};
COMMIT;
"""
_REJECTED = """
BEGIN;
CREATE TABLE IF NOT EXISTS rejected (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- order of receipt; given once: people name it
    time INTEGER NOT NULL,                  -- of receipt, in microseconds since 1970
    listener TEXT NOT NULL,                 -- host:port
    reason TEXT NOT NULL,
    whole INTEGER NOT NULL,                 -- 0: the frame is its beginning only
    retry INTEGER NOT NULL,                 -- 1: to be read again
    frame BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS rejected_by_reason ON rejected (reason);
CREATE INDEX IF NOT EXISTS rejected_to_retry ON rejected (id) WHERE retry = 1;
COMMIT;
"""
"""Added to files that are without it. A bridge that does not know it leaves it alone, so that the
version stays the same."""
_REFUSED = """
BEGIN;
ALTER TABLE waiting ADD COLUMN reason TEXT;   -- if refused: why, in AWS IoT's words or the SDK's
ALTER TABLE waiting ADD COLUMN tried INTEGER NOT NULL DEFAULT 1;   -- if refused: see Tried
CREATE INDEX refused_to_try ON waiting (id) WHERE tried = 2;
COMMIT;
"""
"""The same."""

_DOWNLINKS = """
BEGIN;
CREATE TABLE IF NOT EXISTS downlinks (
    number INTEGER PRIMARY KEY,   -- order of acceptance
    device TEXT NOT NULL,
    id TEXT NOT NULL,             -- the sender's name for it
    ended INTEGER,                -- when, in microseconds since 1970; NULL while it is open
    downlink BLOB NOT NULL        -- all of it, as MessagePack
);
CREATE UNIQUE INDEX IF NOT EXISTS downlinks_by_id ON downlinks (device, id);
CREATE INDEX IF NOT EXISTS downlinks_open ON downlinks (number) WHERE ended IS NULL;
CREATE INDEX IF NOT EXISTS downlinks_ended ON downlinks (ended) WHERE ended IS NOT NULL;
CREATE TABLE IF NOT EXISTS claims (
    number INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    application TEXT NOT NULL     -- one that the source has had an uplink of
);
CREATE UNIQUE INDEX IF NOT EXISTS claims_once ON claims (source, application);
COMMIT;
"""
"""The same. What is added stands last, and is added last to new files as well: so every file's
first page says the same, and a damaged one can be written anew."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, or make it.

    Raises:
        BridgeError: another version wrote it.
        sqlite3.Error: it cannot be opened, or is damaged.

    """
    with ExitStack() as stack:
        database = sqlite3.connect(path, isolation_level=None)
        stack.callback(database.close)
        version = int(database.execute("PRAGMA user_version").fetchone()[0])
        if version not in (0, _VERSION):
            raise BridgeError(
                f"{path}: written by another lora-bridge (spool version {version}, this one reads"
                f" {_VERSION}): let that one drain the spool first, or move it aside"
            )
        if version == 0:
            database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA journal_size_limit = {_MAX_LOG}")
        if version == 0:
            database.executescript(_SCHEMA)
        database.executescript(_REJECTED)
        columns = [name for _, name, *_ in database.execute("PRAGMA table_info(waiting)")]
        if "tried" not in columns:
            database.executescript(_REFUSED)
        database.executescript(_DOWNLINKS)
        stack.pop_all()
        return database


def join(path: Path) -> sqlite3.Connection:
    """Open the file beside the bridge that has it, if one runs: SQLite keeps the two apart.

    What is begun there must end within a moment, since the bridge waits for it.

    Raises:
        sqlite3.Error: it cannot be opened, or does not exist.

    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(address, uri=True, isolation_level=None)


def beside(path: Path, suffix: str) -> Path:
    """Return the path of a file that belongs to the one at ``path``."""
    return path.with_name(path.name + suffix)


class Lock:
    """Keeps other bridges from a file, by whatever path they come to it. Makes it if need be.

    The spool has two: on its own file, which no other name of it gets around, and on one beside it,
    which stays where it is while a damaged spool is replaced. In that one the bridge notes that it
    runs. SQLite's own locks would not keep a
    second bridge out. Close no other descriptor of the file while SQLite has it open: the system
    drops SQLite's locks then (fcntl(2)).

    Raises:
        BridgeError: another process has it, or it cannot be made.

    """

    def __init__(self, path: Path, spool: Path) -> None:
        with ExitStack() as stack:
            try:
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
                stack.callback(os.close, self._file)
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BridgeError(f"{spool}: the spool is in use by another lora-bridge") from None
            except OSError as error:
                raise BridgeError(f"{spool}: cannot open the spool: {error.strerror}") from None
            stack.pop_all()

    def mark(self, time: int) -> None:
        """Note a time, in microseconds since 1970, over the one before.

        A crash of the machine may leave one of some seconds earlier.
        """
        os.pwrite(self._file, b"%0*d" % (_MARK, time), 0)

    def marked(self) -> int | None:
        """Return the time that was noted last, None where there is none."""
        text = os.pread(self._file, _MARK, 0)
        return int(text) if text.isdigit() else None

    def release(self) -> None:
        """Let others have the file."""
        os.close(self._file)
