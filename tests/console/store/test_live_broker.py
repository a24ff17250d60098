"""A consumer that follows a device, on a real broker."""

import socket
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from console.identity.enroll import Endpoint
from console.store.live import Consumer, live_uplinks
from contract.deployment import UNNAMED
from contract.errors import BridgeError
from lab.rig.link import Proxy
from lab.rig.mosquitto import Mosquitto, mosquitto
from lab.rig.servers import free_ports

pytestmark = pytest.mark.broker

_TIME = "2026-11-22T10:00:00.00000{}Z"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Run a broker, with certificates for a client in the folder."""
    with mosquitto(tmp_path) as running:
        yield running


def publish(broker: Mosquitto, topic: str, payload: bytes) -> None:
    """Publish once, at QoS 0, over the broker's plain port."""
    message = len(topic).to_bytes(2, "big") + topic.encode() + payload
    with socket.create_connection(("127.0.0.1", broker.plain_port)) as connection:
        connection.sendall(b"\x10\x0d\0\4MQTT\4\2\0\0\0\1p")  # CONNECT (MQTT 3.1.1, 3.1)
        connection.recv(4)
        connection.sendall(bytes([0x30, len(message)]) + message + b"\xe0\0")  # and DISCONNECT
        connection.recv(1)


def uplink(broker: Mosquitto, number: int) -> None:
    """Publish an uplink and its reading."""
    time = _TIME.format(number)
    publish(broker, "lora/a/d", b'{"timestamp":"%s","port1_bytes":[1]}' % time.encode())
    publish(broker, "lora/a/d/decoded", b'{"timestamp":"%s","decoded":{}}' % time.encode())


def test_following_goes_on_after_a_broken_connection(
    broker: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A consumer whose connection broke subscribes again, and says that it was away."""
    (port,) = free_ports(1)
    link = Proxy(port, broker.port)
    link.open()
    endpoint = Endpoint("localhost", port, tmp_path / "ca.pem")
    seen: list[object] = []
    try:
        with live_uplinks(
            Consumer(UNNAMED, "client", tmp_path, endpoint), "a/d", lambda: False
        ) as live:
            uplink(broker, 1)
            seen += [row["timestamp"] for row in islice(live, 1)]
            link.close()
            again = threading.Event()
            publisher = threading.Thread(target=_until, args=(again, broker, link))
            publisher.start()
            seen += [row["timestamp"] for row in islice(live, 1)]
            again.set()
            publisher.join()
    finally:
        link.close()
    assert seen == [_TIME.format(1), _TIME.format(2)]
    assert "trying again" in caplog.text


def test_what_is_no_uplink_is_passed_over(
    broker: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A message of something else is said, and the next uplink shown."""
    endpoint = Endpoint("localhost", broker.port, tmp_path / "ca.pem")
    with live_uplinks(
        Consumer(UNNAMED, "client", tmp_path, endpoint), "a/d", lambda: False
    ) as live:
        publish(broker, "lora/a/d", b"hello")
        uplink(broker, 1)
        (row,) = islice(live, 1)
    assert row["timestamp"] == _TIME.format(1)
    assert "lora/a/d is passed over" in caplog.text


def _until(seen: threading.Event, broker: Mosquitto, link: Proxy) -> None:
    """Open the link after a first attempt has failed; publish until it is seen."""
    seen.wait(2)
    link.open()
    while not seen.wait(0.2):
        uplink(broker, 2)


def test_a_broker_that_is_not_there(tmp_path: Path, broker: Mosquitto) -> None:
    """Who cannot connect is told so at once."""
    del broker
    (port,) = free_ports(1)
    endpoint = Endpoint("localhost", port, tmp_path / "ca.pem")
    with (
        pytest.raises(BridgeError, match=f"no connection to localhost:{port} as client: AWS_IO"),
        live_uplinks(Consumer(UNNAMED, "client", tmp_path, endpoint), "a/d", lambda: True),
    ):
        pass
