"""The simulated network server writes what a real one does."""

import random
import socket
import threading
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sources.semtech.frames import parse
from bridge.sources.semtech.framing import Framer
from console.simulate import APPLICATION, Plan, device_eui, frames, pieces, send
from contract.errors import BridgeError

NOW = 1_700_000_000_000_000


def stream(count: int, devices: int) -> bytes:
    """Return what the simulation writes for ``count`` frames."""
    return b"".join(islice(frames(devices, random.Random(1), lambda: NOW), count))


def test_every_frame_is_an_uplink() -> None:
    """All frames parse, and count up for each device."""
    uplinks = [
        parse(bytes(f), None) for f in Framer(65_536).feed(stream(100, 10)) if isinstance(f, bytes)
    ]
    found = [(u.application, u.device, u.seqno) for u in uplinks if u]
    assert found == [
        (APPLICATION, device_eui(device), seqno) for seqno in range(1, 11) for device in range(10)
    ]


def test_both_layouts_and_keep_alives_occur() -> None:
    """Frames of both layouts, with and without padding, lists and single receptions."""
    written = stream(100, 10)
    assert b'"userdata": {"seqno"' in written
    assert b'"token"' in written
    assert b'"gwrx": [' in written
    assert b'"gwrx": {' in written
    assert written.startswith(b"\0")
    assert b"}\0\0{" in written


def test_the_same_every_time() -> None:
    """Two simulations write the same, but for the times."""
    assert stream(50, 3) == stream(50, 3)


@given(st.binary(max_size=5000), st.randoms())
def test_pieces_join_to_the_whole(data: bytes, rng: random.Random) -> None:
    """Cutting loses nothing."""
    assert b"".join(pieces(data, rng)) == data


def test_it_sends_as_many_as_asked() -> None:
    """The frames arrive, and it waits until the other side has read them."""
    received = bytearray()

    def read(server: socket.socket) -> None:
        with server.accept()[0] as connection:
            while data := connection.recv(4096):
                received.extend(data)

    with socket.create_server(("127.0.0.1", 0)) as server:
        reader = threading.Thread(target=read, args=(server,))
        reader.start()
        told: list[int] = []
        plan = Plan("127.0.0.1", server.getsockname()[1], devices=3, rate=5000, total=200)
        send(plan, told.append)
        reader.join()
    assert sum(told) == 200
    assert len(Framer(65_536).feed(bytes(received))) == 200


def test_nobody_listens() -> None:
    """A refused connection is one clear error."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        plan = Plan("127.0.0.1", unused.getsockname()[1], devices=1, rate=1, total=1)
        with pytest.raises(BridgeError, match=r"Connection refused after 0 frames: is the bridge"):
            send(plan, lambda _added: None)
