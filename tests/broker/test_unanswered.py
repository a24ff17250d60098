"""Publishes that the broker never answers are neither counted as delivered nor lost."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from bridge import mqtt
from bridge.config import Aws, Config, Listen, SpoolSettings
from bridge.service import serve
from localaws.server import free_ports
from tests.broker.certificates import make_certificates
from tests.broker.silent import SilentBroker
from tests.spooled import waiting
from tests.unit.frames import frame

FRAMES = 12
WINDOW = 5


async def play(folder: Path, broker: SilentBroker) -> None:
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
            server.write(b"".join(frame(seqno=seqno) + b"\0" for seqno in range(FRAMES)))
            await server.drain()
            while len({payload for _, payload in broker.published}) < FRAMES or waiting(spool):
                await asyncio.sleep(0.05)
        server.close()
        os.kill(os.getpid(), signal.SIGTERM)
        await serving


def test_withheld_pubacks_wedge_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a window full of unanswered publishes the bridge connects anew and sends them again.

    The SDK alone would keep the places of those publishes, and send nothing any more.
    """
    caplog.set_level("INFO")
    monkeypatch.setattr(mqtt, "_ACK_TIMEOUT", 1)
    make_certificates(tmp_path)
    broker = SilentBroker(tmp_path, answers=lambda connection: connection > 0)
    asyncio.run(play(tmp_path, broker))
    seqnos = [(number, json.loads(payload)["seqno"]) for number, payload in broker.published]
    assert seqnos == [(0, n) for n in range(WINDOW)] + [(1, n) for n in range(FRAMES)]
    assert "publishes unanswered: AWS_ERROR_MQTT_TIMEOUT; connecting anew" in caplog.text
    assert f"published={FRAMES} refused=0 left=0" in caplog.text
