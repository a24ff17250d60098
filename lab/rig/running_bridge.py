"""A bridge in a process of its own, as its service runs it."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.rig.errors import RigError
from lab.rig.servers import stop

LORA_BRIDGE = [sys.executable, "-m", "console"]
_SAY_LIMIT = 60.0  # seconds for the bridge to log an expected line


class RunningBridge:
    """A bridge in a process of its own, and its log, from byte ``start`` of a file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, start: int) -> None:
        self.process = process
        self._log = log
        self._start = start

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_bytes()[self._start :].decode()

    def says(self, words: str) -> None:
        """Wait until the log has ``words``.

        Raises:
            RigError: it ended, or did not say so in time.

        """
        deadline = time.monotonic() + _SAY_LIMIT
        while words not in self.log:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RigError(f"the bridge did not say {words!r}:\n{self.log}")
            time.sleep(0.05)

    def stop(self) -> dict[str, int]:
        """End it by SIGTERM; return the counts of its last line by name."""
        stop(self.process, limit=30)
        *_, last = self.log.splitlines()
        return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", last)}


@contextmanager
def running_bridge(
    config: Path, command: Sequence[str] = LORA_BRIDGE, options: Sequence[str] = ()
) -> Iterator[RunningBridge]:
    """Run a bridge with ``config`` until the context ends; its log is beside the configuration."""
    log_path = config.with_suffix(".log")
    with log_path.open("ab") as log:
        start = log.tell()
        process = subprocess.Popen(
            [*command, "run", "--config", str(config), *options],
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        yield RunningBridge(process, log_path, start)
    finally:
        stop(process)
