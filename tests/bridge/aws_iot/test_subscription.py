"""Requests come over a session of their own; what is lost with it is told."""

import json
from pathlib import Path

import pytest

from contract.downlinks import Request, build_request
from lab.rig.certificates import make_certificates
from lab.rig.network_server import APPLICATION, DEVICE, network_server
from lab.rig.running_bridge import running_bridge
from lab.rig.scripted_broker import ScriptedBroker
from lab.rig.servers import free_ports
from lab.rig.spools import claimed
from lab.soak.site import Settings, configure, wait_until

pytestmark = pytest.mark.broker

_LIMIT = 30.0  # seconds
TOPIC = f"lora/{APPLICATION}/{DEVICE}/down"


def test_a_session_that_was_given_up_is_a_gap(tmp_path: Path) -> None:
    """The bridge tells that requests may be lost, subscribes again, and takes the next ones."""
    make_certificates(tmp_path)
    broker = ScriptedBroker(tmp_path, lambda _connection, _payload: 0)
    (port,) = free_ports(1)

    def gaps() -> list[dict[str, object]]:
        events = [json.loads(each.payload) for each in broker.published if "/event/" in each.topic]
        return [each for each in events if each["type"] == "gap"]

    with broker.in_thread() as broker_port:
        settings: Settings = {"aws": {"max_backoff": 1}, "downlinks": {"in_order": True}}
        config = configure(tmp_path, port, broker_port, settings)
        with running_bridge(config) as bridge:
            bridge.says("ready for downlinks")
            (first,) = broker.subscribers
            assert gaps() == []
            broker.hang_up(first)
            wait_until(lambda: len(gaps()) == 1, _LIMIT, "the gap")
            assert gaps()[0]["what"] == "requests for downlinks"
            wait_until(lambda: bool(broker.subscribers), _LIMIT, "another subscription")
            (second,) = broker.subscribers
            with network_server(port) as server:
                server.uplink()
                wait_until(lambda: claimed(tmp_path / "spool.db") > 0, _LIMIT, "the application")
                packet = broker.deliver(second, TOPIC, build_request(Request("a", 1, b"")))
                server.has_taken(1)
                wait_until(lambda: (second, packet) in broker.acknowledged, _LIMIT, "the PUBACK")
