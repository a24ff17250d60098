"""Deployed identities may do what they are for, and nothing else."""

import pytest

from lab.aws.consumer import connect
from lab.aws.host import Host
from lab.rig.network_server import APPLICATION
from tests.end_to_end.conftest import BRIDGE, CONSUMER, OTHER_BRIDGE, SENDER

pytestmark = pytest.mark.aws

NOT_AUTHORIZED = 0x87


@pytest.mark.parametrize("client_id", [BRIDGE, f"{BRIDGE}.2"])
def test_bridge_publishes_uplinks_and_events_only(host: Host, client_id: str) -> None:
    """A bridge publishes to lora/APPEUI/MOTEEUI and events, under its name or a numbered one."""
    with connect(host, BRIDGE, client_id) as bridge:
        assert bridge.session.connected
        assert bridge.publish("lora/a/d", b'{"timestamp":"2026-01-01T00:00:00.000000Z"}') == 0
        event = b'{"type":"downlink","timestamp":"2026-01-01T00:00:00.000000Z"}'
        assert bridge.publish("lora/a/d/event/downlink", event) == 0
        assert bridge.publish("other/a/d", b"{}") == NOT_AUTHORIZED
        assert bridge.publish("lora", b"{}") == NOT_AUTHORIZED
        assert bridge.subscribe("lora/#") >= NOT_AUTHORIZED


def test_a_bridge_takes_requests_and_makes_none(host: Host) -> None:
    """It subscribes to the requests of all devices, alone or in a group, and publishes none."""
    with connect(host, BRIDGE, f"{BRIDGE}.down") as bridge:
        for allowed in ("lora/+/+/down", "$share/pair/lora/+/+/down"):
            assert bridge.subscribe(allowed) == 1
        for other in ("lora/+/+/event/downlink", "$share/pair/other/lora/+/+/down", "lora/+/+"):
            assert bridge.subscribe(other) >= NOT_AUTHORIZED
        assert bridge.publish(f"lora/{APPLICATION}/d/down", b"{}") == NOT_AUTHORIZED


@pytest.mark.parametrize("client_id", [SENDER, f"{SENDER}.2"])
def test_a_sender_asks_for_downlinks_of_its_application(host: Host, client_id: str) -> None:
    """It publishes nothing else, and hears what each consumer hears."""
    with connect(host, SENDER, client_id) as sender:
        assert sender.subscribe("lora/+/+/event/+") == 1
        assert sender.publish(f"lora/{APPLICATION}/d/down", b"{}") == 0
        for other in ("", "/event/downlink", "/decoded"):
            assert sender.publish(f"lora/{APPLICATION}/d{other}", b"{}") == NOT_AUTHORIZED
        assert sender.publish("lora/a/d/down", b"{}") == NOT_AUTHORIZED


@pytest.mark.parametrize("client_id", [CONSUMER, f"{CONSUMER}.2"])
def test_consumer_listens_only(host: Host, client_id: str) -> None:
    """A consumer subscribes below lora/, alone or in a group, and publishes nothing."""
    with connect(host, CONSUMER, client_id) as consumer:
        assert consumer.session.connected
        for allowed in ("lora/#", "$share/archive/lora/#"):
            assert consumer.subscribe(allowed) == 1
        for other in ("#", "$share/archive/#", "$share/archive/other/lora/#"):
            assert consumer.subscribe(other) >= NOT_AUTHORIZED
        for topic in ("lora/a/d", f"lora/{APPLICATION}/d/down", "lora/a/d/event/downlink"):
            assert consumer.publish(topic, b"{}") == NOT_AUTHORIZED


@pytest.mark.parametrize(
    ("identity", "client_id"),
    [
        (BRIDGE, "stranger"),
        (BRIDGE, OTHER_BRIDGE),
        (BRIDGE, f"{BRIDGE}0"),
        (BRIDGE, f"{BRIDGE}-2"),
        (CONSUMER, BRIDGE),
        (CONSUMER, f"{CONSUMER}2"),
    ],
)
def test_nobody_connects_under_another_name(host: Host, identity: str, client_id: str) -> None:
    """A certificate connects under its own identity's client IDs alone."""
    with connect(host, identity, client_id) as client:
        assert not client.session.connected
