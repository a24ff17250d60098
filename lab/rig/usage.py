"""CPU time, memory and files of processes, from outside: by Linux's /proc (see proc(5))."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")  # a second
_TIMES = slice(11, 15)  # utime, stime, cutime, cstime: their places behind the name, from 0
_KB_PER_MB = 1024


class Usage:
    """Watches the process ``pid`` and all that come of it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[int, int] = {}

    def cpu(self) -> float:
        """Return the seconds of CPU, user and system, used so far.

        Of descendants that have ended too, once their parents have waited for them.
        """
        return sum(_ticks(pid) for pid in _tree(self._pid)) / _TICKS

    def look(self) -> None:
        """Note the peaks of memory, which a process takes with it when it ends."""
        for pid in _tree(self._pid):
            self._peaks[pid] = max(self._peaks.get(pid, 0), _peak(pid))

    @property
    def peak(self) -> float:
        """MB resident at most, by the last look; the sum over processes of each one's peak."""
        return sum(self._peaks.values()) / _KB_PER_MB


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):  # it may end while it is looked at, here and below
        for task in (_PROC / str(pid) / "task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _ticks(pid: int) -> int:
    with suppress(OSError):
        # The name, in parentheses, may hold anything.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[_TIMES])
    return 0


def resident(pid: int) -> float:
    """Return the MB of memory that the process has in use."""
    return _kilobytes(pid, "VmRSS") / _KB_PER_MB


def descriptors(pid: int) -> int:
    """Return how many files and sockets the process has open."""
    return len(list((_PROC / str(pid) / "fd").iterdir()))


def _kilobytes(pid: int, name: str) -> int:
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _peak(pid: int) -> int:
    """Return VmHWM in kB."""
    # One that has ended, and waits to be waited for, has no memory: no such line.
    with suppress(OSError, StopIteration):
        return _kilobytes(pid, "VmHWM")
    return 0
