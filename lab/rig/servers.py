"""Ports for servers on this machine, and how their processes are ended."""

import fcntl
import os
import secrets
import socket
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from itertools import cycle, islice
from pathlib import Path

_PORTS = range(20_000, 32_768)
"""Linux gives connections, and servers that ask for any port, those from 32768
(net.ipv4.ip_local_port_range), macOS those from 49152."""
_FIRST = secrets.randbelow(len(_PORTS))  # what other rigs hold need not be tried one by one
_CANDIDATES = cycle([*_PORTS[_FIRST:], *_PORTS[:_FIRST]])


def free_ports(count: int) -> list[int]:
    """Return ``count`` TCP ports that nothing on this machine listens on.

    They are this process's until it ends: no two calls return the same, here or in a rig beside it,
    and none is one that the system may give away before its server listens, or while it is down on
    purpose.
    """
    return list(islice(filter(_is_ours, _CANDIDATES), count))


def _is_ours(port: int) -> bool:
    """Take a port, unless another rig has it or something listens there."""
    try:
        fcntl.lockf(_ledger(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@cache
def _ledger() -> int:
    """Open the file whose bytes rigs lock, one for each port: the system gives them back."""
    path = Path(tempfile.gettempdir(), f"lora-bridge-ports-{os.getuid()}")
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def accepts(port: int) -> bool:
    """Say whether something on this machine takes connections at a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def stop(process: subprocess.Popen[bytes], limit: float = 10.0) -> None:
    """End ``process`` politely, and firmly when it has not gone after ``limit`` seconds."""
    process.terminate()
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
