"""Runs a real Mosquitto with mutual TLS, for measurements."""

import getpass
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.rig.certificates import make_certificates
from lab.rig.errors import RigError
from lab.rig.servers import free_ports, stop

_START_LIMIT = 10.0  # seconds
_MISSING = (
    "Mosquitto is needed: apt-get install mosquitto (Debian, Ubuntu), "
    "brew install mosquitto (macOS)"
)
# Nothing is dropped for a slow subscriber, and no Nagle delay is measured as somebody's latency.
# The second listener is the counter's: with TLS there, the broker would encrypt all of it twice.
_CONFIGURATION = """\
allow_anonymous true
persistence false
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
log_dest stderr
log_type error
user {user}

listener {port} 127.0.0.1
cafile {folder}/ca.pem
certfile {folder}/server.pem
keyfile {folder}/server.key
require_certificate true

listener {plain_port} 127.0.0.1
"""


@dataclass(frozen=True)
class Mosquitto:
    """A running broker.

    ``port`` wants TLS and the client's certificate, which is in ``folder`` as client.pem and
    client.key beside ca.pem. ``plain_port`` is for the counter.
    """

    port: int
    plain_port: int
    folder: Path
    pid: int


def program() -> str:
    """Return the path of Mosquitto, which Debian installs outside an ordinary user's PATH.

    Raises:
        RigError: it is not installed; says how to install it.

    """
    found = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RigError(_MISSING)
    return found


def version() -> str:
    """Return what ``mosquitto -h`` says first, such as ``mosquitto version 2.0.11``."""
    said = subprocess.run([program(), "-h"], capture_output=True, text=True, check=False)
    return said.stdout.partition("\n")[0]


@contextmanager
def mosquitto(folder: Path) -> Iterator[Mosquitto]:
    """Run a broker with fresh certificates, its files and log in ``folder``, until the end.

    Raises:
        RigError: Mosquitto is not installed, or did not come up.

    """
    path = program()
    make_certificates(folder)
    port, plain_port = free_ports(2)
    configuration = folder / "mosquitto.conf"
    # Started by root it would become a user of its own, who cannot read the key.
    settings = {"port": port, "plain_port": plain_port, "folder": folder, "user": getpass.getuser()}
    configuration.write_text(_CONFIGURATION.format_map(settings))
    with _running(path, folder) as process:
        broker = Mosquitto(port, plain_port, folder, process.pid)
        _wait_until_ready(broker, process)
        yield broker


@contextmanager
def killed_and_back(broker: Mosquitto) -> Iterator[None]:
    """Kill a broker, and run it again, which knows of no session, until the end.

    Raises:
        RigError: it did not come up again.

    """
    os.kill(broker.pid, signal.SIGKILL)
    # Its ports are free when it is gone. Who started it still learns how it ended.
    os.waitid(os.P_PID, broker.pid, os.WEXITED | os.WNOWAIT)
    with _running(program(), broker.folder) as process:
        _wait_until_ready(broker, process)
        yield


@contextmanager
def _running(path: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "mosquitto.log").open("ab") as log:
        process = subprocess.Popen([path, "-c", folder / "mosquitto.conf"], stderr=log)
    try:
        yield process
    finally:
        stop(process)


def _wait_until_ready(broker: Mosquitto, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while not _accepts_tls(broker):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RigError(f"no Mosquitto: {(broker.folder / 'mosquitto.log').read_text()}")
        time.sleep(0.02)


def _accepts_tls(broker: Mosquitto) -> bool:
    folder = broker.folder
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
    try:
        with (
            socket.create_connection(("127.0.0.1", broker.port)) as connection,
            context.wrap_socket(connection, server_hostname="localhost"),
        ):
            return True
    except OSError:
        return False
