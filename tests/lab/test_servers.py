"""Ports for the servers of the rig."""

import socket
import subprocess
import sys
from contextlib import suppress

from lab.rig.servers import free_ports

_TAKE = "import sys, lab.rig.servers as rig; print(rig._is_ours(int(sys.argv[1]))); input()"


def test_ports_stay_free() -> None:
    """A port is in no two answers, and neither connections nor other servers are given it."""
    ports = free_ports(50) + free_ports(50)
    assert len(set(ports)) == 100
    with socket.create_server(("127.0.0.1", 0)) as server:
        given = int(server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", given)) as connection:
            assert max(ports) < min(given, int(connection.getsockname()[1]))


def test_a_port_in_use() -> None:
    """A port that something listens on is passed over."""
    (port,) = free_ports(1)
    with socket.socket() as taken:
        with suppress(OSError):  # somebody else's then
            taken.bind(("127.0.0.1", port + 1))
        assert free_ports(1) != [port + 1]


def test_a_port_of_another_rig() -> None:
    """What a rig beside this one was given is passed over, though nothing listens there yet."""
    (port,) = free_ports(1)
    command = [sys.executable, "-c", _TAKE, str(port + 1)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline()  # its, or somebody else's: either way not ours
        assert free_ports(1) != [port + 1]
        other.stdin.write("\n")
