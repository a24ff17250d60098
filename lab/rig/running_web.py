"""The pages' server in a process of its own, as an operator runs it."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lab.rig.errors import RigError
from lab.rig.running_bridge import LORA_BRIDGE
from lab.rig.servers import stop


@dataclass(frozen=True)
class RunningWeb:
    """A server of pages: the address that it has printed, and its process."""

    address: str
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.address).port or 0

    @property
    def token(self) -> str:
        """What lets a browser in."""
        return self.address.partition("token=")[2]

    def at(self, path: str) -> str:
        """Return the address of a page that lets a browser in."""
        mark = "&" if "?" in path else "?"
        return f"http://127.0.0.1:{self.port}{path}{mark}token={self.token}"


@contextmanager
def running_web(
    environment: Mapping[str, str], folder: Path, options: Sequence[str] = (), port: int = 0
) -> Iterator[RunningWeb]:
    """Serve from ``folder`` until the context ends; the server's log is there, too.

    Raises:
        RigError: it did not start; the message is what it said.

    """
    log_path = folder / "web.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*LORA_BRIDGE, "web", "--port", str(port), *options],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    with process:
        try:
            address = process.stdout.readline().decode().strip() if process.stdout else ""
            if not address.startswith("http"):
                raise RigError(f"no pages: {log_path.read_text()}")
            yield RunningWeb(address, process)
        finally:
            stop(process)
