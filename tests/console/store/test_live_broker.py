"""A consumer that follows a device, on a real broker."""

import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from console.identity.enroll import Endpoint
from console.store.live import Joining, live_rows
from console.store.shown import Shown
from console.store.subscription import Consumer
from contract.deployment import UNNAMED
from contract.errors import BridgeError
from contract.rows import Row
from lab.rig.link import Proxy
from lab.rig.mosquitto import Mosquitto, mosquitto
from lab.rig.servers import free_ports

pytestmark = pytest.mark.broker

_LIMIT = 30.0  # seconds
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


def row(number: int) -> Row:
    """Return an uplink as it is stored."""
    return {"device": "a/d", "timestamp": _TIME.format(number), "decoded": {}}


@contextmanager
def following(
    folder: Path, port: int, stored: Iterable[Row] = (), mark: str = "1"
) -> Iterator[Iterator[Row]]:
    """Follow the device as ``client.MARK``; the table has what is ``stored`` when it is read."""
    endpoint = Endpoint("localhost", port, folder / "ca.pem")
    consumer = Consumer(UNNAMED, "client", f"client.{mark}", folder, endpoint)
    with live_rows(
        consumer, Joining(UNNAMED, "a/d"), Shown(), lambda _since: stored, lambda: False
    ) as live:
        yield live


def times(live: Iterator[Row], count: int) -> list[object]:
    """Return the timestamps of the next rows."""
    return [each["timestamp"] for each in islice(live, count)]


@pytest.fixture
def link(broker: Mosquitto) -> Iterator[Proxy]:
    """Open a link to the broker that may be broken."""
    (port,) = free_ports(1)
    proxy = Proxy(port, broker.port)
    proxy.open()
    yield proxy
    proxy.close()


def test_what_was_missed_is_read_from_the_table(
    broker: Mosquitto, link: Proxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A consumer whose connection broke says so, shows what was stored, and goes on, in order."""
    stored: list[Row] = []
    with following(tmp_path, link.port, stored) as live:
        uplink(broker, 1)
        assert times(live, 1) == [_TIME.format(1)]
        link.close()
        stored += [row(number) for number in (1, 2, 3)]
        uplink(broker, 2)
        _wait_for("connecting again", caplog)
        link.open()
        assert times(live, 2) == [_TIME.format(number) for number in (2, 3)]
        uplink(broker, 4)
        assert times(live, 1) == [_TIME.format(4)]
    said = [record.message for record in caplog.records if "no connection" not in record.message]
    assert said[0].startswith(f"disconnected from localhost:{link.port} at 20")
    assert said[1:] == ["connected again; what was stored in the meantime follows"]


def test_an_attempt_that_fails_is_said_once(
    broker: Mosquitto, link: Proxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """While there is no connection, the same reason is not repeated at each attempt."""
    with following(tmp_path, link.port) as live:
        uplink(broker, 1)
        assert times(live, 1)
        link.close()
        _wait_for("trying again", caplog)
        with socket.create_server(("127.0.0.1", link.port)) as server:
            for _ in range(3):
                server.accept()[0].close()
    said = [record.message for record in caplog.records]
    assert len(said) == len(set(said))


def test_a_table_that_cannot_be_read(
    broker: Mosquitto, link: Proxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said, and following goes on; the next connection fills that gap as well."""
    answers: list[list[Row]] = [[], [], [row(1)]]
    asked: list[int] = []

    def read(since: int) -> Iterable[Row]:
        asked.append(since)
        if len(asked) == 2:
            raise BridgeError("AWS: no answer")
        return answers[len(asked) - 1]

    endpoint = Endpoint("localhost", link.port, tmp_path / "ca.pem")
    consumer = Consumer(UNNAMED, "client", "client.1", tmp_path, endpoint)
    with live_rows(consumer, Joining(UNNAMED, "a/d"), Shown(), read, lambda: False) as live:
        for number in (2, 3):
            uplink(broker, number)
            assert times(live, 1) == [_TIME.format(number)]
            link.close()
            _wait_for("connecting again", caplog)
            caplog.clear()
            link.open()
            _wait_for("connected again", caplog)
        assert times(live, 1) == [_TIME.format(1)]
    assert asked[1] == asked[2]


def test_programs_of_a_consumer_do_not_disturb_each_other(
    broker: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two that follow, each under a client ID of its own, get everything and stay connected."""
    with (
        following(tmp_path, broker.port, mark="1") as one,
        following(tmp_path, broker.port, mark="2") as two,
    ):
        for number in range(1, 6):
            uplink(broker, number)
        expected = [_TIME.format(number) for number in range(1, 6)]
        assert times(one, 5) == times(two, 5) == expected
    assert not caplog.records


def test_what_is_no_uplink_is_passed_over(
    broker: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A message of something else is said, and the next uplink shown."""
    with following(tmp_path, broker.port) as live:
        publish(broker, "lora/a/d", b"hello")
        uplink(broker, 1)
        assert times(live, 1) == [_TIME.format(1)]
    assert "lora/a/d is passed over" in caplog.text


def _wait_for(words: str, caplog: pytest.LogCaptureFixture) -> None:
    deadline = time.monotonic() + _LIMIT
    while words not in caplog.text:
        assert time.monotonic() < deadline, caplog.text
        time.sleep(0.05)


def test_a_broker_that_is_not_there(tmp_path: Path, broker: Mosquitto) -> None:
    """Who cannot connect is told so at once."""
    del broker
    (port,) = free_ports(1)
    expected = f"no connection to localhost:{port} as client.1: AWS_IO"
    with pytest.raises(BridgeError, match=expected), following(tmp_path, port):
        pass
