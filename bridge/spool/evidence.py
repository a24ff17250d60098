"""Whether a file is a spool, or was one before it was damaged: nobody else's file is touched."""

import stat
import struct
from pathlib import Path

from bridge.spool.file import LOCK, beside
from bridge.spool.wal import PAGE
from contract.errors import BridgeError

_MAGIC = b"SQLite format 3\0"
_TABLE = b"CREATE TABLE "
_OURS = b"CREATE TABLE waiting"
_LEAF = 0x0D  # the first byte of the tree in a page that holds all of a small schema
_TREE = struct.Struct(">BHHHB")  # kind, first free block, cells, where they begin, fragments
_KINDS = (0x02, 0x05, 0x0A, 0x0D)
_MAX_FRAGMENTS = 60  # bytes
_HEADER = 100  # bytes of the file, before the tree of its first page
_LOOKED_AT = 1000  # pages


def require_spool(path: Path) -> None:
    """Look at what is at ``path``: nothing, nothing yet, a spool, or what is left of one.

    A spool whose first page is damaged is known by other pages of the same form, or by the lock
    file beside it: that is made only where a spool is.

    Raises:
        BridgeError: it is something else.
        OSError: it cannot be read.

    """
    if not path.exists() or beside(path, LOCK).exists():
        return
    if not stat.S_ISREG(path.stat().st_mode):
        raise BridgeError(f"{path}: not a file: name another one as spool.path")
    with path.open("rb") as file:
        first, *others = [file.read(PAGE) for _ in range(_LOOKED_AT)]
    ours = _is_ours(first) if first.startswith(_MAGIC) else any(map(_is_tree, others))
    if first and not ours:
        raise BridgeError(f"{path}: not a spool: name another file as spool.path, or move it away")


def _is_ours(page: bytes) -> bool:
    """Say whether the first page of a database names a spool's tables, or none."""
    kind = page[_HEADER] if len(page) > _HEADER else _LEAF
    return _OURS in page or (kind == _LEAF and _TABLE not in page)


def _is_tree(page: bytes) -> bool:
    """Say whether a page has rows, or leads to some, as SQLite writes them."""
    if len(page) < PAGE:
        return False
    kind, _, cells, begin, fragments = _TREE.unpack_from(page)
    pointers = _TREE.size + (4 if kind in _KINDS[:2] else 0) + 2 * cells
    return kind in _KINDS and cells > 0 and pointers <= begin < PAGE and fragments <= _MAX_FRAGMENTS
