"""Notes when the disk makes every sync wait, which is no doing of what is measured."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EVERY = 0.02  # seconds between syncs
_PAUSE = 0.01  # seconds that a sync takes when the disk pauses
_AFTERWARDS = 0.1  # seconds for what has waited in a pause


class DiskPauses:
    """The pauses of a disk so far, found by syncing a file of its own over and over."""

    def __init__(self) -> None:
        self._syncing_since: float | None = None
        self._pauses: list[tuple[float, float]] = []

    def since(self, moment: float) -> float:
        """Return when the pause began that held syncs up at ``moment``; ``moment`` without one.

        Times are those of the monotonic clock.
        """
        running = self._syncing_since
        under_way = [(running, moment)] if running is not None else []
        began = [
            begin
            for begin, end in [*self._pauses, *under_way]
            if begin <= moment <= end + _AFTERWARDS and end - begin >= _PAUSE
        ]
        return min(began, default=moment)

    def watch(self, file: int, stop: threading.Event) -> None:
        """Sync the file until told to stop."""
        while not stop.wait(_EVERY):
            began = self._syncing_since = time.monotonic()
            os.pwrite(file, b"\0", 0)
            os.fdatasync(file)
            ended = time.monotonic()
            if ended - began >= _PAUSE:
                self._pauses.append((began, ended))
            self._syncing_since = None  # last, so that no pause is ever unknown


@contextmanager
def disk_pauses(folder: Path) -> Iterator[DiskPauses]:
    """Watch the disk of ``folder`` until the context ends."""
    pauses, stop = DiskPauses(), threading.Event()
    file = os.open(folder / "synced", os.O_RDWR | os.O_CREAT)
    thread = threading.Thread(target=pauses.watch, args=(file, stop))
    thread.start()
    try:
        yield pauses
    finally:
        stop.set()
        thread.join()
        os.close(file)
