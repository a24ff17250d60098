"""Reads SQLite's write-ahead log from outside, to find what SQLite passes over in silence.

SQLite ends its reading at the first frame whose checksum is wrong, because a crash may have cut the
log off there. This module tells damage from such an end. The formats are from
sqlite.org/fileformat2.html#the_write_ahead_log and sqlite.org/walformat.html. Does no I/O.
"""

import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from operator import mul

PAGE = 4096  # bytes: SQLite's default, which the spool keeps
_HEADER = struct.Struct(">IIII8sII")  # magic, version, page size, number, salts, checksum
_FRAME = struct.Struct(">II8sII")  # page, pages, salts, checksum
_INDEX = struct.Struct("=I8xB3xI12x8sII")  # version, ready, frames, salts, checksum
_BACKFILLED = struct.Struct("=I")  # frames that the database has; behind two copies of the above
_MAGIC = 0x377F0682  # one more where checksums are made of big-endian words
_VERSION = 3_007_000
_CHECKSUM = 8  # bytes, the last of what it is of
_WORD = 4  # bytes
_MASK = 0xFFFF_FFFF
_TREES = (0x02, 0x05, 0x0A)  # the first byte of a page that leads to rows and holds none itself

_Sums = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Frame:
    """A page in the log: number ``page`` of the database, from 1.

    ``pages`` is how many the database has after the commit that the frame completes, 0 within one.
    The frame is ``sound`` if its checksum follows from that of the frame before.
    """

    page: int
    pages: int
    content: bytes
    sound: bool

    @property
    def holds_rows(self) -> bool:
        """Whether rows or parts of rows are on the page."""
        return self.content[0] not in _TREES


@dataclass(frozen=True, slots=True)
class Log:
    """The frames of a log, from the first to the last that was written.

    None stands where no frame of this round through the file is. Without a ``sound`` header SQLite
    reads none of them.
    """

    salts: bytes = b""
    sound: bool = True
    places: tuple[Frame | None, ...] = ()

    def read(self) -> list[Frame]:
        """Return the frames that SQLite reads: those of whole commits before the first bad one."""
        if not self.sound:
            return []
        return _committed(takewhile(lambda frame: frame is not None and frame.sound, self.places))

    def all(self) -> list[Frame]:
        """Return all frames up to the last that completes a commit."""
        return _committed(self.places)


def parse_log(data: bytes) -> Log:
    """Read the content of a ``-wal`` file."""
    if len(data) < _HEADER.size + _FRAME.size:
        return Log()
    magic, _, size, _, salts, *sums = _HEADER.unpack_from(data)
    order = ">" if magic == _MAGIC + 1 else "<"
    before = (sums[0], sums[1])
    header = _sums(order, data[: _HEADER.size - _CHECKSUM])
    sound = magic & ~1 == _MAGIC and size == PAGE and header == before
    if not sound:  # each round writes its first frame over that of the round before
        salts = _FRAME.unpack_from(data, _HEADER.size)[2]
    places: list[Frame | None] = []
    for at in range(_HEADER.size, len(data) - _FRAME.size - PAGE + 1, _FRAME.size + PAGE):
        page, pages, written, *sums = _FRAME.unpack_from(data, at)
        content = data[at + _FRAME.size : at + _FRAME.size + PAGE]
        stored = (sums[0], sums[1])
        if page and written == salts:
            follows = _sums(order, data[at : at + 2 * _WORD] + content, before) == stored
            places.append(Frame(page, pages, content, follows))
        else:
            places.append(None)
        before = stored
    while places and places[-1] is None:
        places.pop()
    return Log(salts, sound, tuple(places))


def problem(log: Log, index: bytes) -> str | None:
    """Return what is wrong with the log, None if SQLite reads all that was committed.

    ``index`` is the content of the ``-shm`` file. A process that was killed leaves it: it says how
    many frames were committed.
    """
    if not log.sound and log.places:
        return "the header of its write-ahead log is damaged"
    read = len(log.read())
    first_bad = next((n for n, each in enumerate(log.places) if not (each and each.sound)), None)
    if first_bad is not None and first_bad < len(log.places) - 1:
        return f"frame {first_bad + 1} of its write-ahead log is damaged"
    committed = _committed_frames(index, log.salts)
    if committed > read:
        return f"its write-ahead log has {read} sound frames of {committed}"
    return None


def _committed(places: Iterable[Frame | None]) -> list[Frame]:
    found = [each for each in places if each is not None]
    while found and not found[-1].pages:
        found.pop()
    return found


def _committed_frames(index: bytes, salts: bytes) -> int:
    """Return how many frames of this round the index knows, 0 if the database has all of them."""
    size = _INDEX.size
    if len(index) < 2 * size + _BACKFILLED.size or index[:size] != index[size : 2 * size]:
        return 0
    version, ready, frames, of, *sums = _INDEX.unpack_from(index)
    order = "<" if sys.byteorder == "little" else ">"
    sound = _sums(order, index[: size - _CHECKSUM]) == (sums[0], sums[1])
    # Salts of another round are those of an index that a power failure left behind.
    if version != _VERSION or not ready or not sound or (salts and of != salts):
        return 0
    (backfilled,) = _BACKFILLED.unpack_from(index, 2 * size)
    return 0 if backfilled >= frames else int(frames)


def _sums(order: str, data: bytes, before: _Sums = (0, 0)) -> _Sums:
    """Continue a checksum over ``data``.

    SQLite adds words by turns to two sums and each sum to the other. A word thus counts as often
    as the Fibonacci number of its distance from the end says, which is faster to compute here.
    """
    count = len(data) // _WORD
    words = struct.unpack(f"{order}{count}I", data)
    first, second = _weights(count)
    values = [before[1], words[0] + before[0], *words[1:]]
    return sum(map(mul, values, first)) & _MASK, sum(map(mul, values, second)) & _MASK


@lru_cache(8)  # frames, the header and the index have their own lengths
def _weights(count: int) -> tuple[list[int], list[int]]:
    fibonacci = [0, 1]
    while len(fibonacci) < count + 2:
        fibonacci.append((fibonacci[-1] + fibonacci[-2]) & _MASK)
    return fibonacci[count::-1], fibonacci[:0:-1]
