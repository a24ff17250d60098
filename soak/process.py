"""Looks at a running process from outside, through Linux's /proc (see proc(5))."""

from pathlib import Path

_KB_PER_MB = 1024


def resident(pid: int) -> float:
    """Return the MB of memory that the process has in use."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / _KB_PER_MB


def descriptors(pid: int) -> int:
    """Return how many files and sockets the process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
