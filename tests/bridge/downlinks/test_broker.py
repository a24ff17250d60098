"""What a broker may do with requests, and no real one does on demand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.deployment import UNNAMED
from contract.downlinks import Request, build_request
from lab.rig.certificates import make_certificates
from lab.rig.counter import Counter, counter
from lab.rig.link import Proxy
from lab.rig.mosquitto import killed_and_back, mosquitto
from lab.rig.network_server import APPLICATION, DEVICE, NetworkServer, network_server
from lab.rig.requests import sender
from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.rig.scripted_broker import CONNACK, ScriptedBroker
from lab.rig.servers import free_ports
from lab.rig.spools import session_noted
from lab.soak.site import Settings, configure, wait_until

pytestmark = pytest.mark.broker

TOPIC = UNNAMED.request_topic(f"{APPLICATION}/{DEVICE}")
_LIMIT = 30.0  # seconds
SESSION_PRESENT = bytes([0x20, 3, 1, 0, 0])
_SETTINGS: Settings = {
    "listen": {"application": APPLICATION},
    "downlinks": {"answers_within": 60},
}


@dataclass
class Play:
    """A bridge that is ready for downlinks, between a broker and a network server."""

    broker: ScriptedBroker
    bridge: RunningBridge
    server: NetworkServer

    def deliver(self, name: str) -> tuple[int, int]:
        """Deliver a request; return connection and packet id."""
        payload = build_request(Request(name, 10, b"\x01"))
        (connection,) = self.broker.subscribers
        return connection, self.broker.deliver(connection, TOPIC, payload)

    def until_acknowledged(self, *deliveries: tuple[int, int]) -> None:
        """Wait for the PUBACKs."""
        wait_until(lambda: self.broker.acknowledged >= {*deliveries}, _LIMIT, "the PUBACKs")

    def events(self, kind: str) -> list[dict[str, object]]:
        """Return the events of a kind that were published."""
        return events(self.broker, kind)


def events(broker: ScriptedBroker, kind: str) -> list[dict[str, object]]:
    """Return the events of a kind that a broker was given."""
    published = list(broker.published)
    return [json.loads(each.payload) for each in published if each.topic.endswith(f"/event/{kind}")]


@contextmanager
def place(folder: Path) -> Iterator[tuple[ScriptedBroker, Path, int]]:
    """Run a broker; yield it, a bridge's configuration for it, and the port where that listens."""
    make_certificates(folder)
    broker = ScriptedBroker(folder, lambda _connection, _payload: 0)
    (port,) = free_ports(1)
    with broker.in_thread() as broker_port:
        yield broker, configure(folder, port, broker_port, _SETTINGS), port


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Have everything running."""
    with place(tmp_path) as (broker, config, port), running_bridge(config) as bridge:
        bridge.says("ready for downlinks")
        with network_server(port) as server:
            yield Play(broker, bridge, server)


def test_a_request_under_other_packet_ids_is_one_downlink(play: Play) -> None:
    """Users saw a downlink come twice where a broker delivers again: it is written once.

    Each delivery has its PUBACK, without a DUP flag among them.
    """
    play.until_acknowledged(*[play.deliver("a") for _ in range(5)])
    play.server.sent(play.server.has_taken(1)[0])
    play.until_acknowledged(*[play.deliver("a") for _ in range(5)])
    play.until_acknowledged(play.deliver("b"))
    assert len(play.server.has_taken(2)) == 2
    wait_until(lambda: len(play.events("downlink")) == 5, _LIMIT, "the events")
    states = [(each["id"], each["state"]) for each in play.events("downlink")]
    assert states[:3] == [("a", "accepted"), ("a", "submitted"), ("a", "sent")]


def test_a_request_whose_puback_was_lost_comes_again(play: Play) -> None:
    """Users lost what was under way as a connection ended; on the next one it is known."""
    play.deliver("a")
    play.server.has_taken(1)
    (connection,) = play.broker.subscribers
    play.broker.hang_up(connection)
    wait_until(lambda: {*play.broker.subscribers} - {connection} != set(), _LIMIT, "a connection")
    play.until_acknowledged(play.deliver("a"))
    play.server.sent(play.server.taken[0])
    play.until_acknowledged(play.deliver("b"))
    play.server.has_taken(2)
    assert [each.token for each in play.server.taken] == [1, 2]


def test_a_broker_that_has_given_up_the_session(play: Play) -> None:
    """Users missed the subscription after a broker's return, and downlinks vanished.

    The bridge subscribes again, takes what comes, and tells that it may have missed some.
    """
    (connection,) = play.broker.subscribers
    play.broker.hang_up(connection)
    wait_until(lambda: {*play.broker.subscribers} - {connection} != set(), _LIMIT, "a connection")
    play.until_acknowledged(play.deliver("a"))
    play.server.has_taken(1)
    wait_until(lambda: len(play.events("gap")) == 1, _LIMIT, "the gap")
    (gap,) = play.events("gap")
    assert (gap["what"], gap["reason"]) == (
        *("requests for downlinks", "AWS IoT had given up the session"),
    )


@pytest.mark.parametrize(("kept", "gaps"), [(False, 1), (True, 0)])
def test_a_session_that_was_given_up_while_the_bridge_was_stopped(
    tmp_path: Path, *, kept: bool, gaps: int
) -> None:
    """Users lost commands over a restart without a word: it is told then, too, and only then."""
    with place(tmp_path) as (broker, config, _port):
        for _ in range(2):
            with running_bridge(config) as bridge:
                bridge.says("ready for downlinks")
                wait_until(lambda: session_noted(tmp_path / "spool.db"), _LIMIT, "the note")
            broker.connack = lambda _connection: SESSION_PRESENT if kept else CONNACK
        found = [each for each in events(broker, "gap") if each["source"] == "aws"]
        assert [each["what"] for each in found] == ["requests for downlinks"] * gaps


def test_a_session_that_is_kept_for_less_than_was_asked_for(tmp_path: Path) -> None:
    """As in an account whose quota is an hour: it is said, with what to do."""
    with place(tmp_path) as (broker, config, _port):
        # A property, session expiry interval, of 600 s (MQTT 5.0, 3.2.2.3.2).
        broker.connack = lambda _connection: bytes([0x20, 8, 0, 0, 5, 0x11, 0, 0, 2, 88])
        with running_bridge(config) as bridge:
            bridge.says(
                "AWS IoT keeps requests for 600 s, not for session_expiry = 3600: have the"
                " account's quota for it raised"
            )


def test_a_broker_that_is_killed_and_comes_back(tmp_path: Path) -> None:
    """Mosquitto, which has lost the session: that is a gap, and requests are taken again."""
    port, link_port = free_ports(2)
    with mosquitto(tmp_path) as broker:
        link = Proxy(link_port, broker.port)
        link.open()
        config = configure(tmp_path, port, link_port, {**_SETTINGS, "aws": {"max_backoff": 1}})
        with running_bridge(config) as bridge:
            bridge.says("ready for downlinks")
            link.close()
            with (
                killed_and_back(broker),
                counter(broker) as counting,
                network_server(port) as server,
            ):
                link.open()
                wait_until(lambda: _told(counting, "gap"), _LIMIT, "the gap")
                again = "the bridge to be ready again"
                wait_until(lambda: bridge.log.count("ready for downlinks") == 2, _LIMIT, again)
                with sender(broker.port, tmp_path) as ask:
                    ask(f"{APPLICATION}/{DEVICE}", build_request(Request("a", 10, b"")))
                server.has_taken(1)
                link.close()


def _told(counting: Counter, kind: str) -> bool:
    counting.look()
    return any(topic.endswith(f"/event/{kind}") for topic, _ in counting.messages())
