"""Ports for servers on this machine, and how their processes are ended."""

import secrets
import socket
import subprocess
from contextlib import suppress
from itertools import cycle, islice

_PORTS = range(20_000, 32_768)
"""Linux gives connections, and servers that ask for any port, those from 32768
(net.ipv4.ip_local_port_range), macOS those from 49152."""
_FIRST = secrets.randbelow(len(_PORTS))  # rigs run side by side, and each begins elsewhere
_CANDIDATES = cycle([*_PORTS[_FIRST:], *_PORTS[:_FIRST]])


def free_ports(count: int) -> list[int]:
    """Return ``count`` TCP ports that nothing on this machine listens on.

    No two calls in a process return the same, and none is one that the system may give away
    before its server listens, or while it is down on purpose.
    """
    return list(islice(filter(_is_free, _CANDIDATES), count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


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
