"""Reads what can still be read of a damaged spool, row by row, past each damaged part."""

import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path

from bridge.spool import downlinks
from bridge.spool.file import MODE, beside, connect
from bridge.spool.wal import PAGE, Frame, Log

_STEP = 10_000  # rows between two signs of progress
_MAX_GAP = 1_000_000  # ids that cannot be read, in a row, after which there is nothing more
_MAX_END = 10_000  # such ids where the end cannot be read, and so is not known
_KINDS: dict[str, type] = {"INTEGER": int, "TEXT": str, "BLOB": bytes}
"""What SQLite gives for a column of a type, as long as no bits have changed."""
_BY_ID = "SELECT number, device, id FROM downlinks INDEXED BY downlinks_by_id"
_OPEN = "SELECT number FROM downlinks INDEXED BY downlinks_open WHERE ended IS NULL"
_ENDED = "SELECT number, ended FROM downlinks INDEXED BY downlinks_ended WHERE ended IS NOT NULL"
"""All that these ask for is in the indexes: no row is read."""
_NOISE = b"\xff" * PAGE  # no page: SQLite says so

_Row = tuple[int | float | str | bytes | None, ...]


@contextmanager
def states(damaged: Path, log: Log, *, trusted: bool) -> Iterator[list[sqlite3.Connection]]:
    """Open the states of the database that may hold messages, the newest first.

    If the file and its log can be ``trusted``, SQLite opens them where they are. Otherwise copies
    are made: one with all of the log, and one with that part of it that SQLite would read. Neither
    may have all that the other has.
    """
    with ExitStack() as stack:
        if trusted:
            source = stack.enter_context(closing(_read_only(damaged)))
            if _answers(source):
                yield [source]
                return
        parts = [log.all()]
        if log.read() != parts[0]:
            parts.append(log.read())
        copies = [beside(damaged, f".copy-{number}") for number in range(len(parts))]
        for copy, frames in zip(copies, parts, strict=True):
            stack.callback(copy.unlink, missing_ok=True)
            _rebuild(damaged, frames, copy)
        yield [stack.enter_context(closing(_read_only(copy))) for copy in copies]


def copy_rows(
    source: sqlite3.Connection, sound: sqlite3.Connection, on_progress: Callable[[], object]
) -> None:
    """Copy every row that can be read, but for those whose keys are there."""
    for table, all_columns in _tables(sound).items():
        known = _known(source, table) or all_columns
        columns = {name: kinds for name, kinds in all_columns.items() if name in known}
        names, marks = ",".join(columns), ",".join("?" * len(columns))
        insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  # ours
        rows = filter(partial(_fits, columns), _rows(source, table, list(columns)))
        for row in rows:
            sound.execute("BEGIN")
            sound.executemany(insert, chain([row], islice(rows, _STEP)))
            sound.execute("COMMIT")
            on_progress()


def keep_lost_downlinks(source: sqlite3.Connection, sound: sqlite3.Connection) -> None:
    """Keep downlinks whose rows cannot be read, by what the indexes say: device, id, whether open.

    One that was open comes to an end then, and a request that comes again is known. What was to be
    sent is lost.
    """
    there = "SELECT 1 FROM downlinks WHERE number = ?"
    lost = {
        number: (device, name)
        for number, device, name in _until_damage(source, _BY_ID)
        if isinstance(device, str) and isinstance(name, str)
        if not sound.execute(there, (number,)).fetchone()
    }
    still_open = [(number, None) for (number,) in _until_damage(source, _OPEN)]
    sound.execute("BEGIN")
    for number, ended in chain(still_open, _until_damage(source, _ENDED)):
        if isinstance(number, int) and number in lost:
            downlinks.keep_name(sound, number, *lost[number], ended)
    sound.execute("COMMIT")


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


def _known(source: sqlite3.Connection, table: str) -> list[str]:
    """Return the columns of a table, which an older bridge may have made; none if it is damaged."""
    rows = _until_damage(source, f"SELECT name FROM pragma_table_info('{table}')")  # noqa: S608
    return [str(name) for (name,) in rows]


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
        rows, read = source.execute(query), 0
        try:
            for row in rows:
                read += 1
                yield row
        except sqlite3.Error:
            # Python fetches a row ahead, and drops the one before the damage.
            yield from source.execute(f"{query} LIMIT 1 OFFSET {read}")


def _rebuild(damaged: Path, frames: Sequence[Frame], copy: Path) -> None:
    """Write the database as the frames make it.

    A frame that is not sound may have changed bits. If the page holds rows, it is left out, so
    that no message is changed. If it leads to rows, SQLite notices when it leads nowhere.
    """
    copy.touch(MODE)
    shutil.copyfile(damaged, copy)
    with copy.open("r+b") as file:
        for frame in frames:
            file.seek((frame.page - 1) * PAGE)
            file.write(frame.content if frame.sound or not frame.holds_rows else _NOISE)
        if frames:
            file.truncate(frames[-1].pages * PAGE)
        file.seek(18)
        file.write(b"\x01\x01")  # read and written without a log
    with closing(_read_only(copy)) as source:
        answers = _answers(source)
    if not answers:
        _write_first_page(copy)


def _write_first_page(copy: Path) -> None:
    """Every spool's first page is the same, but for how many pages there are.

    The offsets are from sqlite.org/fileformat2.html#the_database_header.
    """
    with closing(connect(Path(":memory:"))) as empty:
        page = bytearray(empty.serialize()[:PAGE])
    page[18:20] = b"\x01\x01"
    page[28:32] = (copy.stat().st_size // PAGE).to_bytes(4, "big")
    with copy.open("r+b") as file:
        file.write(page)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _answers(source: sqlite3.Connection) -> bool:
    try:
        source.execute("SELECT 1 FROM waiting").fetchone()
    except sqlite3.Error:
        return False
    return True
