"""How long the disk alone takes: one page written over in a file of its own, and synced."""

import os
import statistics
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

_PAGE = bytes(4096)
_PAGES = 1000  # as many as SQLite's log has before it is written over


def sync_median(folder: Path, rate: float, seconds: float) -> float:
    """Return the median ms of ``rate`` syncs a second, on the disk of ``folder``."""
    path = folder / "synced"
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        os.pwrite(file, _PAGE * _PAGES, 0)
        os.fsync(file)
        taken = [_sync(file, number) for number in _paced(rate, seconds)]
    finally:
        os.close(file)
        path.unlink()
    return statistics.median(taken)


def _paced(rate: float, seconds: float) -> Iterator[int]:
    """Yield the number of a page each time that one is due."""
    started = time.monotonic()
    for number, page in zip(range(int(rate * seconds)), cycle(range(_PAGES)), strict=False):
        time.sleep(max(0.0, started + number / rate - time.monotonic()))
        yield page


def _sync(file: int, page: int) -> float:
    began = time.perf_counter()
    os.pwrite(file, _PAGE, page * len(_PAGE))
    os.fdatasync(file)
    return (time.perf_counter() - began) * 1000
