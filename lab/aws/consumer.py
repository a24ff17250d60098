"""A consumer on the SDK: subscribes, and collects what it receives."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from awscrt import mqtt5
from awsiot import mqtt5_client_builder

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
    sdk: mqtt5.Client

    def publish(self, topic: str, payload: bytes) -> int:
        """Publish at QoS 1; return the reason code of the PUBACK."""
        packet = mqtt5.PublishPacket(topic=topic, payload=payload, qos=mqtt5.QoS.AT_LEAST_ONCE)
        return int(self.sdk.publish(packet).result(_LIMIT).puback.reason_code)

    def subscribe(self, topic_filter: str) -> int:
        """Subscribe at QoS 1; return the reason code of the SUBACK."""
        wanted = mqtt5.Subscription(topic_filter=topic_filter, qos=mqtt5.QoS.AT_LEAST_ONCE)
        suback = self.sdk.subscribe(mqtt5.SubscribePacket([wanted])).result(_LIMIT)
        return int(suback.reason_codes[0])


@contextmanager
def connect(host: Host, identity: str, client_id: str) -> Iterator[Client]:
    """Connect with the certificate of ``identity``, or be refused: see ``session.connected``."""
    session, answered, stopped = Session(), threading.Event(), threading.Event()

    def on_success(_data: mqtt5.LifecycleConnectSuccessData) -> None:
        session.connected = True
        answered.set()

    def on_publish(data: mqtt5.PublishReceivedData) -> None:
        with session.arrived:
            session.received.append((data.publish_packet.topic, data.publish_packet.payload))
            session.arrived.notify_all()

    sdk = mqtt5_client_builder.mtls_from_path(
        cert_filepath=str(host.folder / f"{identity}.pem"),
        pri_key_filepath=str(host.folder / f"{identity}.key"),
        ca_filepath=str(host.aws.mqtt_ca),
        endpoint="localhost",
        port=host.aws.mqtt_port,
        client_id=client_id,
        on_publish_received=on_publish,
        on_lifecycle_connection_success=on_success,
        on_lifecycle_connection_failure=lambda _data: answered.set(),
        on_lifecycle_stopped=lambda _data: stopped.set(),
    )
    sdk.start()
    answered.wait(_LIMIT)
    try:
        yield Client(session, sdk)
    finally:
        sdk.stop()
        stopped.wait(_LIMIT)
