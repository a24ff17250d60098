"""Runs a contender, and all that it starts, from when it is ready until it is not needed."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lab.bench.contenders import Contender
from lab.rig.errors import RigError

PROJECT = Path(__file__).resolve().parents[2]
"""Where this project's modules and the npm packages are found from."""
_START_LIMIT = 60.0  # seconds


@contextmanager
def running(
    command: list[str], contender: Contender, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the contender, from when it is ready until the context ends; its log is in ``folder``.

    Raises:
        RigError: it ended before it was ready, or was not ready in time.

    """
    with starting(command, folder) as process:
        _wait_until_ready(process, contender, folder / "log")
        yield process


@contextmanager
def starting(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command until the context ends, ready or not; its log is in ``folder``."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that all it starts can be ended with it
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_ready(
    process: subprocess.Popen[bytes], contender: Contender, log_path: Path
) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while contender.ready not in log_path.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RigError(f"{contender.name} did not start:\n{log_path.read_text()[-2000:]}")
        time.sleep(0.02)
