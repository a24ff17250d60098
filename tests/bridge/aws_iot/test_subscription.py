"""Requests wait while the spool takes nothing, but not those that nobody would miss."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.aws_iot.subscription import Subscription
from bridge.config import Aws, Downlinks
from bridge.counts import Counts
from bridge.mqtt.told import Acknowledge
from lab.rig.certificates import make_certificates
from lab.rig.scripted_broker import ScriptedBroker

pytestmark = pytest.mark.broker

_TOPIC = "lora/a1/d1/down"


class _NoSessions:
    """Remembers nothing."""

    def has_session(self, client_id: str) -> bool:
        """Know of none."""
        return client_id == ""

    def note_session(self, client_id: str) -> None:
        """Forget it."""


async def test_while_it_pauses_it_holds_what_comes_once_only(tmp_path: Path) -> None:
    """Requests at QoS 0 have no bound in number: they are counted and dropped then."""
    make_certificates(tmp_path)
    broker = ScriptedBroker(tmp_path, lambda _connection, _payload: 0)
    counts, taken = Counts(), list[bytes]()

    def take(_topic: str, payload: bytes, acknowledge: Acknowledge) -> None:
        taken.append(payload)
        acknowledge()

    async with broker.listening() as port:
        aws = Aws(
            endpoint="localhost",
            port=port,
            client_id="host-1",
            certificate=tmp_path / "client.pem",
            private_key=tmp_path / "client.key",
            root_ca=tmp_path / "ca.pem",
        )
        subscription = Subscription(
            aws, Downlinks(), take, _NoSessions(), lambda _reason: None, counts
        )
        subscription.start()
        await _until(lambda: subscription.subscribed)
        (connection,) = broker.subscribers
        subscription.pause()
        for _ in range(1_000):
            broker.toss(connection, _TOPIC, b"tossed")
        delivery = (connection, broker.deliver(connection, _TOPIC, b"held"))
        await _until(lambda: counts.downlinks["dropped"] == 1_000)  # as above
        subscription.resume()
        await _until(lambda: delivery in broker.acknowledged)
        broker.toss(connection, _TOPIC, b"afterwards")
        await _until(lambda: taken == [b"held", b"afterwards"])
        await subscription.stop()


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not reached():
            await asyncio.sleep(0.01)
