"""Replaces a damaged spool by a sound one that holds all that can still be read."""

import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, count, islice
from pathlib import Path

from bridge.spool.file import connect

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY = 0xFF
"""Of SQLite's result codes, the part without the details (sqlite.org/rescode.html)."""
_PAGE = 4096  # bytes: SQLite's default, which the spool keeps
_PARTS = ("-wal", "-shm", "")
_STEP = 10_000  # rows between two signs of progress
_MAX_GAP = 1_000_000  # ids that cannot be read, in a row, after which there is nothing more
_MAX_END = 10_000  # such ids where the end cannot be read, and so is not known
_KINDS: dict[str, type] = {"INTEGER": int, "TEXT": str, "BLOB": bytes}
"""What SQLite gives for a column of a type, as long as no bits have changed."""

_Row = tuple[int | float | str | bytes | None, ...]


@dataclass(frozen=True)
class Salvaged:
    """How many messages were saved, and where the damaged file now is."""

    messages: int
    aside: Path


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether the error says that the file itself is damaged."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:  # of Python's own making, when a text is not UTF-8 any more
        return str(error).startswith("Could not decode to UTF-8")
    return code & _PRIMARY in _DAMAGE


def salvage(path: Path, on_progress: Callable[[], object]) -> Salvaged:
    """Put a sound spool at ``path``, with what the damaged one there, closed, still tells.

    The damaged file is moved aside whole. What happens in between, a crash included, either
    leaves all as it was or is finished by ``finish``. A gigabyte takes a quarter of a minute, in
    which ``on_progress`` is called several times a second.

    Raises:
        OSError, sqlite3.Error: the sound one cannot be written; the damaged one is in its place.

    """
    if _finished(path).exists():  # by an attempt that could not put it into its place
        with closing(_read_only(_finished(path))) as sound:
            return Salvaged(_count(sound), _exchange(path))
    building = path.with_name(path.name + ".building")
    building.unlink(missing_ok=True)
    with closing(connect(building)) as sound:
        sound.execute("PRAGMA journal_mode = OFF")  # everything into the one file, once
        messages = _copy(path, sound, on_progress)
        sound.execute("PRAGMA journal_mode = DELETE")
    building.rename(_finished(path))
    return Salvaged(messages, _exchange(path))


def finish(path: Path) -> None:
    """Put a sound spool that ``salvage`` has finished into its place, if there is one."""
    if _finished(path).exists():
        _exchange(path)


def _exchange(path: Path) -> Path:
    aside = next(
        aside
        for number in count(1)
        if not (aside := path.with_name(f"{path.name}.damaged-{number}")).exists()
    )
    # The file itself goes last: until then the name is free, and a second try uses it again.
    for suffix in _PARTS:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    _finished(path).rename(path)
    return aside


def _finished(path: Path) -> Path:
    return path.with_name(path.name + ".salvaged")


def _copy(damaged: Path, sound: sqlite3.Connection, on_progress: Callable[[], object]) -> int:
    """Copy every row that can be read; return how many messages there were."""
    with _opened(damaged) as source:
        for table, columns in _tables(sound).items():
            names, marks = ",".join(columns), ",".join("?" * len(columns))
            insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  # ours
            rows = filter(partial(_fits, columns), _rows(source, table, list(columns)))
            for row in rows:
                sound.execute("BEGIN")
                sound.executemany(insert, chain([row], islice(rows, _STEP)))
                sound.execute("COMMIT")
                on_progress()
    return _count(sound)


def _tables(sound: sqlite3.Connection) -> dict[str, dict[str, tuple[type, ...]]]:
    """Return the columns of each table, with what may stand in them; the key is the first."""
    names = sound.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    found: dict[str, dict[str, tuple[type, ...]]] = {}
    for (table,) in names.fetchall():
        columns = sound.execute(
            'SELECT name, type, "notnull" OR pk FROM pragma_table_info(?)', (table,)
        )
        found[table] = {
            name: (_KINDS[kind],) if required else (_KINDS[kind], type(None))
            for name, kind, required in columns
        }
    return found


def _count(spool: sqlite3.Connection) -> int:
    return int(spool.execute("SELECT count(*) FROM waiting").fetchone()[0])


def _fits(columns: dict[str, tuple[type, ...]], row: _Row) -> bool:
    return all(map(isinstance, row, columns.values()))


def _rows(source: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[_Row]:
    """Yield what can be read from both ends, and then what can between, past each damaged part."""
    key = columns[0]
    select = f"SELECT {','.join(columns)} FROM {table}"  # noqa: S608  # ours
    first, last = 0, 0
    for row in _until_damage(source, f"{select} ORDER BY {key}"):
        first = _id(row)
        yield row
    for row in _until_damage(source, f"{select} WHERE {key} > {first} ORDER BY {key} DESC"):
        last = _id(row)
        yield row
    limit = _MAX_GAP if last else _MAX_END
    first, last = first or max(0, last - limit), last or sys.maxsize
    skipped = 0
    while first < last - 1 and skipped < limit:
        skipped += 1
        between = f"{key} > {first} AND {key} < {last}"
        for row in _until_damage(source, f"{select} WHERE {between} ORDER BY {key}"):
            first, skipped = _id(row), 0
            yield row
        first += 1


def _id(row: _Row) -> int:
    return row[0] if isinstance(row[0], int) else 0


def _until_damage(source: sqlite3.Connection, query: str) -> Iterator[_Row]:
    with suppress(sqlite3.Error):
        yield from source.execute(query)


@contextmanager
def _opened(damaged: Path) -> Iterator[sqlite3.Connection]:
    """Open the file for reading; through a copy with a sound first page if its own is damaged."""
    copy = damaged.with_name(damaged.name + ".copy")
    try:
        source = _read_only(damaged)
        if not _answers(source):
            source.close()
            _copy_with_first_page(damaged, copy)
            source = _read_only(copy)
        with closing(source):
            yield source
    finally:
        for suffix in _PARTS:
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _answers(source: sqlite3.Connection) -> bool:
    try:
        source.execute("SELECT 1 FROM waiting").fetchone()
    except sqlite3.Error:
        return False
    return True


def _copy_with_first_page(damaged: Path, copy: Path) -> None:
    """Every spool's first page is the same, but for how many pages there are.

    The offsets are from sqlite.org/fileformat2.html#the_database_header.
    """
    shutil.copyfile(damaged, copy)
    log = damaged.with_name(damaged.name + "-wal")
    if log.exists():
        shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
    with closing(connect(Path(":memory:"))) as empty:
        page = bytearray(empty.serialize()[:_PAGE])
    page[18:20] = b"\x02\x02"  # read and written through the log
    page[28:32] = (damaged.stat().st_size // _PAGE).to_bytes(4, "big")
    with copy.open("r+b") as file:
        file.write(page)
