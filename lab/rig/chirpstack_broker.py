"""The Mosquitto of a ChirpStack host: it keeps what waits, on disk, and may be killed."""

import getpass
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bridge.config import Broker
from lab.rig.errors import RigError
from lab.rig.mosquitto import program
from lab.rig.servers import accepts, free_ports, stop

_START_LIMIT = 10.0  # seconds
# As docs/chirpstack.md teaches, but each change is saved at once, and more may wait: what the
# broker has accepted is to survive its kill.
_SETTINGS = {
    "allow_anonymous": "true",
    "persistence": "true",
    "autosave_on_changes": "true",
    "autosave_interval": "1",
    "max_queued_messages": "1000000",
    "sys_interval": "1",
    "set_tcp_nodelay": "true",
}


class ChirpStackBroker:
    """A broker on the loopback, with its files in ``folder``; ``changes`` are of its settings."""

    def __init__(self, folder: Path, changes: Mapping[str, str]) -> None:
        (self.port,) = free_ports(1)
        self._folder = folder
        self._program = program()
        settings = {
            **_SETTINGS,
            "persistence_location": f"{folder}/",
            "log_dest": "stderr",
            "user": getpass.getuser(),  # started by root it would become another
            **changes,
        }
        lines = [f"{name} {value}" for name, value in settings.items()]
        text = "\n".join([f"listener {self.port} 127.0.0.1", *lines, ""])
        (folder / "mosquitto.conf").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Broker:
        """How to reach it."""
        return Broker(port=self.port)

    @property
    def pid(self) -> int:
        """Its process.

        Raises:
            RigError: it does not run.

        """
        if self._process is None:
            raise RigError("the broker does not run")
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self._folder / "mosquitto.log").read_text()

    def start(self) -> None:
        """Start it, and wait until it takes connections.

        Raises:
            RigError: it did not come up.

        """
        command = [self._program, "-c", str(self._folder / "mosquitto.conf")]
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, cwd=self._folder)
        deadline = time.monotonic() + _START_LIMIT
        while not accepts(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RigError(f"no Mosquitto: {self.log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it politely: it saves what waits."""
        if self._process is not None:
            stop(self._process)
            self._process = None

    def kill(self) -> None:
        """Kill it: what it had not saved is gone."""
        os.kill(self.pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None


@contextmanager
def chirpstack_broker(
    folder: Path, changes: Mapping[str, str] | None = None
) -> Iterator[ChirpStackBroker]:
    """Run a broker, its files and log in a folder, until the end.

    Raises:
        RigError: Mosquitto is not installed, or did not come up.

    """
    broker = ChirpStackBroker(folder, changes or {})
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
