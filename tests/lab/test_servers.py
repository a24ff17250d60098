"""Ports for the servers of the rig."""

import socket
from contextlib import suppress

from lab.rig.servers import free_ports


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
