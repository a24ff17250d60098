"""A consumer: subscribes, and collects what it receives."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bridge.config import Aws
from bridge.mqtt import client as mqtt
from bridge.mqtt.aws_iot import aws_client
from bridge.mqtt.told import Failure
from lab.aws.host import Host

_LIMIT = 20.0  # seconds for the broker to answer


@dataclass
class Session:
    """What became of one connection."""

    connected: bool = False
    received: list[tuple[str, bytes]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int) -> list[tuple[str, bytes]]:
        """Return what was received once it is ``count`` messages, or when time is up."""
        with self.arrived:
            self.arrived.wait_for(lambda: len(self.received) >= count, _LIMIT)
        return self.received


@dataclass(frozen=True)
class Client:
    """A connected client and what it receives."""

    session: Session
    mqtt: mqtt.Client

    def publish(self, topic: str, payload: bytes) -> int:
        """Publish at QoS 1; return the reason code of the PUBACK."""
        publishing = self.mqtt.publish(topic, payload)
        publishing.result(_LIMIT)
        return _code(mqtt.puback_failure(publishing))

    def subscribe(self, topic_filter: str) -> int:
        """Subscribe at QoS 1; return the reason code of the SUBACK."""
        subscribing = self.mqtt.subscribe([topic_filter])
        subscribing.result(_LIMIT)
        return _code(mqtt.suback_failure(subscribing), granted=1)


@contextmanager
def connect(host: Host, identity: str, client_id: str) -> Iterator[Client]:
    """Connect with the certificate of ``identity``, or be refused: see ``session.connected``."""
    session, answered, stopped = Session(), threading.Event(), threading.Event()

    def on_connected() -> None:
        session.connected = True
        answered.set()

    def on_received(topic: str, payload: bytes) -> None:
        with session.arrived:
            session.received.append((topic, payload))
            session.arrived.notify_all()

    aws = Aws(
        endpoint="localhost",
        port=host.aws.mqtt_port,
        client_id=client_id,
        certificate=host.folder / f"{identity}.pem",
        private_key=host.folder / f"{identity}.key",
        root_ca=host.aws.mqtt_ca,
    )
    callbacks = mqtt.Callbacks(
        connected=on_connected,
        failed=lambda _reason: answered.set(),
        stopped=stopped.set,
        received=on_received,
    )
    client = aws_client(aws, client_id, callbacks)
    client.start()
    answered.wait(_LIMIT)
    try:
        yield Client(session, client)
    finally:
        client.stop()
        stopped.wait(_LIMIT)


def _code(failure: Failure | None, granted: int = 0) -> int:
    return granted if failure is None else (failure.code or -1)
