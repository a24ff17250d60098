"""The bridge as systemd runs it."""

import socket
from pathlib import Path

import pytest

from rig.running_bridge import running_bridge
from soak.site import site
from tests.unit.frames import frame

_LIMIT = 30.0  # seconds


def test_systemd_hears_the_whole_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready before AWS IoT is there, then signs of life with what was done, and the end."""
    address = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(address))
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, site(tmp_path) as place:
        systemd.bind(str(address))
        systemd.settimeout(_LIMIT)
        place.link.close()
        with running_bridge(place.config) as bridge:
            first = systemd.recv(4096).decode().splitlines()
            assert first[0] == "READY=1"
            assert first[1].startswith("STATUS=not connected as soak: received=0 ")
            with socket.create_connection(("127.0.0.1", place.port)) as server:
                server.sendall(frame() + b"\0")
            place.link.open()
            alive: list[str] = []
            while not alive or "STATUS=ready: received=1 accepted=1" not in alive[-1]:
                alive.append(systemd.recv(4096).decode())
            assert all(each.endswith("\nWATCHDOG=1") for each in alive)
            bridge.stop()
        heard = alive[-1]
        while heard != "STOPPING=1":
            heard = systemd.recv(4096).decode()
