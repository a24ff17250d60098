"""The test uplink reaches the bridge by a ChirpStack's broker, where the bridge has no port."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from bridge.messages.message import build
from bridge.messages.uplink import Uplink
from bridge.sources.chirpstack.parsing import Parser
from console.check import broker as links_of_broker
from console.check.chain import Finding, State, walk
from console.check.round_trip import RoundTrip
from console.check.session import aws_session
from console.check.test_uplink import MarkedUplink
from contract.deployment import UNNAMED
from lab.rig.chirpstack_broker import chirpstack_broker
from tests.console.check.chirpstack_site import BRIDGE, breaks_at, configured, users

pytestmark = pytest.mark.broker

_MARKER = bytes(range(8))


@pytest.mark.parametrize(
    "template",
    [
        "application/{{application_id}}/device/{{dev_eui}}/event/{{event}}",
        "farm/{{ event }}/{{dev_eui}}/{{application_id}}",
        "farm/{{application_id}}/{{event}}",
    ],
)
def test_the_test_event_is_an_uplink(tmp_path: Path, template: str) -> None:
    """The bridge makes of it what it makes of the frame, wherever ChirpStack's events come."""
    (server,) = configured(tmp_path, f'event_topic = "{template}"').chirpstack
    marked = MarkedUplink(UNNAMED, BRIDGE, _MARKER)
    topic, event = marked.event(server, time.time_ns() // 1000)
    uplink = Parser(server).read(topic, event).content
    assert isinstance(uplink, Uplink)
    message = build(uplink, 0, UNNAMED)
    assert message.topic == marked.topic
    assert marked.is_in(message.payload)


def sent(folder: Path, server: str) -> Finding:
    """Return what is found of the link that sends the test uplink."""
    config = configured(folder, server)
    links = RoundTrip(config, aws_session(config.aws)).links()
    _subscribe, sending = next(links), next(links)
    (finding,) = walk([sending], time.monotonic)
    if finding.state is State.NOT_TRIED:
        assert list(links) == []  # nothing is on its way
    return finding


def test_sending_it(tmp_path: Path) -> None:
    """It is taken where a bridge has subscribed, and where none has, none runs."""
    with chirpstack_broker(tmp_path) as broker:
        server = f"port = {broker.port}"
        none = sent(tmp_path, server)
        words = "nobody listens on application/check/device/network-host-1/event/up"
        breaks_at([none], "uplink to bridge", words, "start the bridge")
        with closing(links_of_broker.session(broker.settings, "bridge")) as bridge:
            bridge.connect()
            bridge.subscribe("application/+/device/+/event/+")
            assert sent(tmp_path, server).state is State.WHOLE
            delivery = bridge.received(10)
    assert delivery
    assert delivery.topic == "application/check/device/network-host-1/event/up"


def test_a_bridge_that_may_only_read(tmp_path: Path) -> None:
    """A bridge needs no right to publish events: without it, the test uplink is not tried."""
    with chirpstack_broker(tmp_path, users(tmp_path, "user bridge\ntopic read #\n")) as broker:
        server = f'port = {broker.port}\nusername = "bridge"\npassword_file = "right.password"'
        finding = sent(tmp_path, server)
    assert finding.state is State.NOT_TRIED
    assert "event/up: NOT_AUTHORIZED" in finding.detail
