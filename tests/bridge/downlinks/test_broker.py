"""What a broker may do with requests, and no real one does on demand."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.deployment import UNNAMED
from contract.downlinks import Request, build_request
from lab.rig.certificates import make_certificates
from lab.rig.network_server import APPLICATION, DEVICE, NetworkServer, network_server
from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.rig.scripted_broker import ScriptedBroker
from lab.rig.servers import free_ports
from lab.soak.site import Settings, configure, wait_until

pytestmark = pytest.mark.broker

TOPIC = UNNAMED.request_topic(f"{APPLICATION}/{DEVICE}")
_LIMIT = 30.0  # seconds
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
        published = list(self.broker.published)
        return [
            json.loads(each.payload) for each in published if each.topic.endswith(f"/event/{kind}")
        ]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Have everything running."""
    make_certificates(tmp_path)
    broker = ScriptedBroker(tmp_path, lambda _connection, _payload: 0)
    (port,) = free_ports(1)
    with ExitStack() as stack:
        broker_port = stack.enter_context(broker.in_thread())
        config = configure(tmp_path, port, broker_port, _SETTINGS)
        bridge = stack.enter_context(running_bridge(config))
        bridge.says("ready for downlinks")
        yield Play(broker, bridge, stack.enter_context(network_server(port)))


def test_a_request_under_other_packet_ids_is_one_downlink(play: Play) -> None:
    """Each delivery has its PUBACK, without a DUP flag among them; it is written once."""
    play.until_acknowledged(*[play.deliver("a") for _ in range(5)])
    play.server.sent(play.server.has_taken(1)[0])
    play.until_acknowledged(*[play.deliver("a") for _ in range(5)])
    play.until_acknowledged(play.deliver("b"))
    assert len(play.server.has_taken(2)) == 2
    wait_until(lambda: len(play.events("downlink")) == 5, _LIMIT, "the events")
    states = [(each["id"], each["state"]) for each in play.events("downlink")]
    assert states[:3] == [("a", "accepted"), ("a", "submitted"), ("a", "sent")]


def test_a_request_whose_puback_was_lost_comes_again(play: Play) -> None:
    """With the connection that it came over; on the next one it is known."""
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
    """The bridge subscribes again, takes what comes, and tells that it may have missed some."""
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
