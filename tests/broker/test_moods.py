"""Publishes that the broker refuses or never answers are neither delivered nor lost."""

import asyncio
import json
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from bridge import mqtt, publisher
from bridge.config import Aws, Config, Listen, SpoolSettings
from bridge.service import serve
from localaws.server import free_ports
from tests.broker.moody import MoodyBroker
from tests.certificates import make_certificates
from tests.spooled import waiting
from tests.unit.frames import frame

FRAMES = 12
WINDOW = 5


async def play(folder: Path, broker: MoodyBroker) -> None:
    """Run a bridge against the broker until its spool is empty, and stop it."""
    (port,) = free_ports(1)
    spool = folder / "spool.db"
    async with broker.listening() as broker_port:
        aws = Aws(
            endpoint="localhost",
            port=broker_port,
            client_id="host",
            certificate=folder / "client.pem",
            private_key=folder / "client.key",
            root_ca=folder / "ca.pem",
            max_inflight=WINDOW,
        )
        config = Config(listen=(Listen(port=port),), aws=aws, spool=SpoolSettings(path=spool))
        serving = asyncio.create_task(serve(config))
        async with asyncio.timeout(30):
            while not broker.connections:
                await asyncio.sleep(0.05)
            _, server = await asyncio.open_connection("127.0.0.1", port)
            server.write(b"".join(frame(seqno=number) + b"\0" for number in range(FRAMES)))
            await server.drain()
            while len({payload for _, payload in broker.published}) < FRAMES or waiting(spool):
                await asyncio.sleep(0.05)
        server.close()
        os.kill(os.getpid(), signal.SIGTERM)
        await serving


def seqno(payload: bytes) -> int:
    """Return the seqno in a message."""
    return int(json.loads(payload)["seqno"])


def test_withheld_pubacks_wedge_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a window full of unanswered publishes the bridge connects anew and sends them again.

    The SDK alone would keep the places of those publishes, and send nothing any more.
    """
    caplog.set_level("INFO")
    monkeypatch.setattr(mqtt, "_ACK_TIMEOUT", 1)
    make_certificates(tmp_path)
    broker = MoodyBroker(tmp_path, lambda connection, _payload: 0 if connection else None)
    asyncio.run(play(tmp_path, broker))
    seqnos = [(connection, seqno(payload)) for connection, payload in broker.published]
    assert seqnos == [(0, n) for n in range(WINDOW)] + [(1, n) for n in range(FRAMES)]
    assert "publishes unanswered: AWS_ERROR_MQTT_TIMEOUT; connecting anew" in caplog.text
    assert f"published={FRAMES} refused=0 left=0" in caplog.text


def test_refused_publishes_are_tried_again_and_drain(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused lets the rest pass, is tried again, and leaves once, when it is accepted."""
    caplog.set_level("INFO")
    monkeypatch.setattr(publisher, "_LOOK_FOR_REFUSED_EVERY", 0.05)
    monkeypatch.setattr(publisher, "_RETRY_REFUSED_AFTER", 0.1)
    make_certificates(tmp_path)
    refusals = Counter[int]()

    def answer(_connection: int, payload: bytes) -> int:
        number = seqno(payload)
        if number % 3 or refusals[number] == 2:
            return 0
        refusals[number] += 1
        return 0x97

    broker = MoodyBroker(tmp_path, answer)
    asyncio.run(play(tmp_path, broker))
    tries = Counter(seqno(payload) for _, payload in broker.published)
    assert tries == {number: 1 if number % 3 else 3 for number in range(FRAMES)}
    passed = [seqno(payload) for _, payload in broker.published if seqno(payload) % 3]
    assert passed == [number for number in range(FRAMES) if number % 3]
    assert caplog.text.count("refused: QUOTA_EXCEEDED (0x97)") == 1
    assert f"published={FRAMES} refused={2 * FRAMES // 3} left=0" in caplog.text
