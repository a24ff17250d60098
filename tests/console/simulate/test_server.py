"""The simulated server writes its frames to the end, and answers downlinks."""

import json
import random
import socket
import threading

import pytest

from bridge.sources.semtech.framing import Framer
from console.simulate.answers import Answers
from console.simulate.plan import Plan
from console.simulate.server import send
from contract.errors import BridgeError

SENT = b'{"mote": {"eui": "d1", "app": true, "msgsent": 7}}\0'
ACKNOWLEDGED = b'{"mote": {"eui": "d1", "app": true, "ackrx": true}}\0'


def downlink(*, confirmed: bool = False, kind: str = "app") -> bytes:
    """Return a downlink as the bridge writes it."""
    content = {"moteeui": "d1", "dir": "dn", "token": 7, "confirmed": confirmed}
    return json.dumps({kind: content}).encode() + b"\0"


@pytest.mark.parametrize("kind", ["app", "immeApp"])
def test_a_confirmed_downlink_is_sent_and_then_acknowledged(kind: str) -> None:
    """Each after a while, in whatever pieces it comes."""
    answers = Answers(random.Random(1), lose=0)
    written = downlink(confirmed=True, kind=kind)
    answers.read(written[:9], now=0)
    answers.read(written[9:], now=0)
    assert answers.due(0.1) == b""
    assert answers.due(0.2) == SENT
    assert answers.pending
    assert answers.due(9) == ACKNOWLEDGED
    assert not answers.pending


def test_an_unconfirmed_downlink_is_sent() -> None:
    """And no more is said of it."""
    answers = Answers(random.Random(1), lose=0)
    answers.read(downlink(), now=0)
    assert answers.due(9) == SENT


def test_some_are_lost_on_purpose() -> None:
    """As many as asked for, which are never answered."""
    answers = Answers(random.Random(1), lose=0.5)
    answers.read(downlink() * 1000, now=0)
    assert 400 < answers.lost < 600
    assert answers.due(9).count(b"msgsent") == 1000 - answers.lost


def test_it_sends_as_many_as_asked() -> None:
    """The joins and the frames arrive, and it waits until the other side has read them."""
    received = bytearray()

    def read(server: socket.socket) -> None:
        with server.accept()[0] as connection:
            while data := connection.recv(4096):
                received.extend(data)

    with socket.create_server(("127.0.0.1", 0)) as server:
        reader = threading.Thread(target=read, args=(server,))
        reader.start()
        told: list[int] = []
        send(server.getsockname(), Plan(devices=3, rate=5000, total=200), told.append)
        reader.join()
    assert sum(told) == 200
    assert len(Framer(65_536).feed(bytes(received))) == 3 + 200 + received.count(b'{"mote": ')


def test_nobody_listens() -> None:
    """A refused connection is one clear error."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        plan = Plan(devices=1, rate=1, total=1)
        with pytest.raises(BridgeError, match=r"Connection refused after 0 frames: is the bridge"):
            send(unused.getsockname(), plan, lambda _added: None)
