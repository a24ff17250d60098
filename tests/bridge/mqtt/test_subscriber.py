"""A subscriber keeps its session, reads when it may, and acknowledges on the right connection."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.config import Broker
from bridge.mqtt import subscriber
from bridge.mqtt.subscriber import Hearing, Subscriber
from bridge.mqtt.told import Delivery, Failure, Session
from contract.errors import BridgeError
from lab.rig.certificates import make_certificates
from lab.rig.chirpstack_broker import ChirpStackBroker, chirpstack_broker
from lab.rig.mqtt_peer import MqttPeer, mqtt_peer

pytestmark = pytest.mark.broker

_LIMIT = 10.0  # seconds


@dataclass
class Heard:
    """What a subscriber has reported."""

    sessions: list[Session] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    losses: list[Failure] = field(default_factory=list)
    granted: list[str] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def payloads(self) -> list[bytes]:
        """What came, in order."""
        return [each.payload for each in self.deliveries]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for it."""
        async with asyncio.timeout(_LIMIT):
            while not condition():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def subscribed(broker: Broker, topic: str = "a/#") -> AsyncIterator[tuple[Subscriber, Heard]]:
    """Have a subscriber, once it is subscribed."""
    heard = Heard()

    def joined(session: Session) -> None:
        heard.sessions.append(session)
        each.subscribe(topic, qos=1)

    hearing = Hearing(
        joined=joined,
        failed=heard.failures.append,
        lost=heard.losses.append,
        subscribed=lambda topic, failure: heard.granted.append(topic if not failure else ""),
        received=heard.deliveries.append,
    )
    each = Subscriber(broker, "subscriber", 60, hearing)
    each.start()
    try:
        await heard.until(lambda: bool(heard.granted or heard.failures))
        yield each, heard
    finally:
        await each.stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ChirpStackBroker]:
    """Run a broker."""
    with chirpstack_broker(tmp_path) as found:
        yield found


@pytest.fixture
def peer(broker: ChirpStackBroker) -> Iterator[MqttPeer]:
    """Have somebody who publishes."""
    with mqtt_peer(broker.settings) as found:
        yield found


def publish(peer: MqttPeer, *payloads: str) -> None:
    """Publish on one topic, in order."""
    for each in payloads:
        peer.publish("a/b", each.encode())


async def test_what_is_not_acknowledged_comes_again(
    broker: ChirpStackBroker, peer: MqttPeer
) -> None:
    """On the next connection, in the same session; what was acknowledged does not."""
    async with subscribed(broker.settings) as (_, heard):
        publish(peer, "1", "2")
        await heard.until(lambda: len(heard.deliveries) == 2)
        first, _ = heard.deliveries
        assert first.acknowledge is not None
        first.acknowledge()
        await asyncio.sleep(0.05)  # it is written in a moment
    publish(peer, "3")
    async with subscribed(broker.settings) as (_, heard):
        await heard.until(lambda: len(heard.deliveries) == 2)
        assert heard.payloads == [b"2", b"3"]
        assert heard.sessions == [Session(kept=True, expiry=60)]


async def test_an_old_connection_acknowledges_nothing(
    broker: ChirpStackBroker, peer: MqttPeer
) -> None:
    """A packet ID may be another message's on the next one."""
    async with subscribed(broker.settings) as (_, heard):
        publish(peer, "1")
        await heard.until(lambda: len(heard.deliveries) == 1)
        (old,) = heard.deliveries
        broker.stop()
        await heard.until(lambda: len(heard.losses) == 1)
        broker.start()
        await heard.until(lambda: len(heard.deliveries) == 2)
        assert old.acknowledge is not None
        old.acknowledge()
        await asyncio.sleep(0.05)
    async with subscribed(broker.settings) as (_, heard):
        await heard.until(lambda: heard.payloads == [b"1"])


async def test_nothing_is_read_while_it_is_held(broker: ChirpStackBroker, peer: MqttPeer) -> None:
    """The broker has to wait, and what it has comes afterwards, in order."""
    async with subscribed(broker.settings) as (each, heard):
        each.hold()
        numbers = [str(number) for number in range(100)]
        await asyncio.to_thread(publish, peer, *numbers)
        assert heard.deliveries == []
        each.release()
        await heard.until(lambda: len(heard.deliveries) == 20)  # Mosquitto's window
        taken = 0
        while taken < 100:
            for delivery in heard.deliveries[taken:]:
                taken += 1
                if delivery.acknowledge is not None:
                    delivery.acknowledge()
            await asyncio.sleep(0.01)
        assert heard.payloads == [number.encode() for number in numbers]


async def test_what_comes_after_a_burst(broker: ChirpStackBroker, peer: MqttPeer) -> None:
    """It is read, too, though nobody looks for it any more: the system tells of it."""
    async with subscribed(broker.settings) as (_, heard):
        for burst in range(1, 4):
            await asyncio.to_thread(publish, peer, *"abcde")
            await heard.until(lambda: len(heard.deliveries) == 6 * burst - 1)  # noqa: B023
            await asyncio.sleep(0.3)
            await asyncio.to_thread(publish, peer, "f")
            await heard.until(lambda: len(heard.deliveries) == 6 * burst)  # noqa: B023
            for delivery in heard.deliveries[-6:]:
                if delivery.acknowledge is not None:
                    delivery.acknowledge()
        assert heard.payloads == [each.encode() for each in "abcdef" * 3]


def secured(folder: Path) -> Mapping[str, str]:
    """Return the settings of a broker that wants a certificate."""
    make_certificates(folder)
    return {
        "cafile": f"{folder}/ca.pem",
        "certfile": f"{folder}/server.pem",
        "keyfile": f"{folder}/server.key",
        "require_certificate": "true",
    }


async def test_tls_with_a_certificate(tmp_path: Path) -> None:
    """All that comes at once over TLS is read, however the system cuts it."""
    with chirpstack_broker(tmp_path, secured(tmp_path)) as broker:
        settings = Broker(
            host="localhost",
            port=broker.port,
            ca=tmp_path / "ca.pem",
            certificate=tmp_path / "client.pem",
            private_key=tmp_path / "client.key",
        )
        with mqtt_peer(settings) as peer:
            async with subscribed(settings) as (_, heard):
                numbers = [str(number) * 500 for number in range(20)]
                await asyncio.to_thread(publish, peer, *numbers)
                await heard.until(lambda: len(heard.deliveries) == 20)
                assert heard.payloads == [number.encode() for number in numbers]


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_that_another_ca_has_signed(tmp_path: Path) -> None:
    """TLS verifies: there is no connection, and the reason says why."""
    other = tmp_path / "other"
    other.mkdir()
    make_certificates(other)
    with chirpstack_broker(tmp_path, secured(tmp_path)) as broker:
        settings = Broker(host="localhost", port=broker.port, ca=other / "ca.pem")
        async with subscribed(settings) as (_, heard):
            assert "certificate verify failed" in heard.failures[0].reason
            assert heard.sessions == []


async def test_a_broker_that_lets_nobody_in(tmp_path: Path) -> None:
    """The reason has the broker's code."""
    with chirpstack_broker(tmp_path, {"allow_anonymous": "false"}) as broker:
        async with subscribed(broker.settings) as (_, heard):
            assert heard.failures[0] == Failure("Not authorized (0x87)", 0x87)
            assert heard.losses == []


async def test_a_broker_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after a while, and tried again."""
    monkeypatch.setattr(subscriber, "_CONNECT_TIMEOUT", 0.2)
    monkeypatch.setattr(subscriber, "_MISC_EVERY", 0.1)

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side gives up
        writer.close()

    silent = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with silent, subscribed(Broker(port=port)) as (_, heard):
        await heard.until(lambda: len(heard.failures) == 2)
        assert {each.reason for each in heard.failures} == {"no answer to CONNECT"}


async def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    """The error names it."""
    with pytest.raises(BridgeError, match=r"none\.pem: no such file"):
        Subscriber(Broker(ca=tmp_path / "none.pem"), "x", 60, nothing())
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(BridgeError, match=r"cannot use .*ca\.pem: not PEM"):
        Subscriber(Broker(ca=tmp_path / "ca.pem"), "x", 60, nothing())


def nothing() -> Hearing:
    """Return what hears nothing."""
    return Hearing(
        joined=lambda _session: None,
        failed=lambda _failure: None,
        lost=lambda _failure: None,
        subscribed=lambda _topic, _failure: None,
        received=lambda _delivery: None,
    )
