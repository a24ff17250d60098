"""What an operator does on the network server's host, by the real commands."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localaws.server import LocalAws, free_ports, stop

_LORA_BRIDGE = [sys.executable, "-m", "bridge"]
_SAY_LIMIT = 60.0  # seconds for the bridge to log an expected line


class HostError(Exception):
    """A command failed, or the bridge did not do as expected; the message has what it printed."""


@dataclass(frozen=True)
class Host:
    """A network server's host with its folder of keys, beside a local AWS."""

    aws: LocalAws
    folder: Path

    def lora_bridge(self, *arguments: str) -> str:
        """Run a ``lora-bridge`` command to its end; return its standard output.

        Raises:
            HostError: it failed.

        """
        done = subprocess.run(
            [*_LORA_BRIDGE, *arguments],
            env=self.aws.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise HostError(f"lora-bridge {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def keygen(self, name: str) -> Path:
        """Make a key; return its certificate request, to deploy with."""
        self.lora_bridge("keygen", "--name", name, "--dir", str(self.folder))
        return self.folder / f"{name}.csr"

    def enroll(self, name: str) -> None:
        """Fetch the certificate, and the configuration of a bridge, after the deployment.

        The endpoint's own name ends in ``localhost``, which not every machine resolves.
        """
        self.lora_bridge(
            *("enroll", "--name", name, "--dir", str(self.folder)),
            *("--endpoint", "localhost", "--port", str(self.aws.mqtt_port)),
            *("--root-ca", str(self.aws.mqtt_ca)),
        )

    def configure(self, file_name: str, changes: Mapping[str, str]) -> tuple[Path, int]:
        """Write the enrolled configuration anew as ``file_name``, on a free port for listening.

        ``changes`` replaces lines, from ``key = value`` to ``key = value``. Returns the path and
        the port.
        """
        (port,) = free_ports(1)
        text = (self.folder / "bridge.toml").read_text()
        for old, new in {"port = 6500": f"port = {port}", **changes}.items():
            if old not in text:
                raise HostError(f"no {old!r} in the configuration")
            text = text.replace(old, new)
        path = self.folder / file_name
        path.write_text(text)
        return path, port


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
            HostError: it ended, or did not say so in time.

        """
        deadline = time.monotonic() + _SAY_LIMIT
        while words not in self.log:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise HostError(f"the bridge did not say {words!r}:\n{self.log}")
            time.sleep(0.05)

    def stop(self) -> dict[str, int]:
        """End it by SIGTERM; return the counts of its last line by name."""
        stop(self.process, limit=30)
        *_, last = self.log.splitlines()
        return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", last)}


@contextmanager
def running_bridge(config: Path, command: Sequence[str] = _LORA_BRIDGE) -> Iterator[RunningBridge]:
    """Run a bridge with ``config`` until the context ends; its log is beside the configuration."""
    log_path = config.with_suffix(".log")
    with log_path.open("ab") as log:
        start = log.tell()
        process = subprocess.Popen(
            [*command, "run", "--config", str(config)],
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        yield RunningBridge(process, log_path, start)
    finally:
        stop(process)
