"""Contenders take ChirpStack's events, those that wait and those that come."""

from itertools import pairwise
from pathlib import Path

import pytest

from bridge.config import ChirpStack
from bridge.messages.uplink import Uplink
from bridge.sources.chirpstack.parsing import Parser
from contract.names import SAID
from lab.bench import chirpstack_runs
from lab.bench.chirpstack_latency import through_bridge, through_sdk, to_subscriber
from lab.bench.chirpstack_load import numbered_events, publish
from lab.bench.chirpstack_runs import (
    chirpstack,
    measure_backlog,
    runner_of_events,
    wait_for_subscription,
)
from lab.bench.contenders import BRIDGE_OF_EVENTS, NODE_RED_OF_EVENTS, SDK_OF_EVENTS, Contender
from lab.bench.load import uplink_number
from lab.bench.report import Setup
from lab.bench.sections.chirpstack import backlogs
from lab.bench.turns import by_turns
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto
from lab.rig.mqtt_peer import mqtt_peer

WAITING = 2000
EACH_CONTENDER = pytest.mark.parametrize(
    "contender", [BRIDGE_OF_EVENTS, SDK_OF_EVENTS, NODE_RED_OF_EVENTS], ids=lambda each: each.name
)


def test_events_are_uplinks_with_numbers() -> None:
    """Each has its number, an identity, two gateways, and what a codec in ChirpStack made."""
    events = numbered_events(300)
    parser = Parser(ChirpStack())
    uplinks = [parser.read(*event).content for event in events]
    assert [uplink_number(payload) for _, payload in events] == list(range(300))
    for number, uplink in enumerate(uplinks):
        assert isinstance(uplink, Uplink)
        assert int.from_bytes(uplink.data, "big") == number
        assert len(uplink.gwrx) == 2
        assert SAID in uplink.more
    assert len({each.identity for each in uplinks if isinstance(each, Uplink)}) == 300


@pytest.mark.broker
def test_events_come_at_their_rate(tmp_path: Path) -> None:
    """Each is published at its time, and all are at the broker in the end."""
    events = numbered_events(50)
    with chirpstack(tmp_path) as server, mqtt_peer(server.settings, "subscriber") as subscriber:
        subscriber.subscribe(ChirpStack().event_topic.partition("/")[0] + "/#")
        published = publish(server.settings, events, rate=100)
        subscriber.publish("application/end", b"")
        heard = subscriber.heard[: len(events)]
    assert heard == events
    assert all(later > earlier for earlier, later in pairwise(published))
    assert 0.48 < published[-1] - published[0] < 2


@pytest.mark.broker
def test_events_that_nobody_waits_for(tmp_path: Path) -> None:
    """Without a session that keeps them there is no backlog, and nothing to measure."""
    with chirpstack(tmp_path) as server, pytest.raises(RigError, match="keeps an event for nobody"):
        publish(server.settings, numbered_events(1))


@pytest.mark.broker
def test_a_contender_that_does_not_subscribe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an error, and no wait without end."""
    monkeypatch.setattr(chirpstack_runs, "_LIMIT", 0.1)
    with chirpstack(tmp_path) as server, pytest.raises(RigError, match="nobody has subscribed"):
        wait_for_subscription(server)


@pytest.mark.broker
@EACH_CONTENDER
def test_events_that_waited(contender: Contender, broker: Mosquitto, tmp_path: Path) -> None:
    """What waits for a contender while it is away is delivered when it is back.

    Node-RED drops what it reads before it has its connection to AWS IoT.
    """
    _require(contender)
    found = measure_backlog(contender, broker, tmp_path, numbered_events(WAITING))
    assert found.lost == 0 or (contender is NODE_RED_OF_EVENTS and found.lost < WAITING / 2)
    assert found.rate > 100
    assert found.cpu < 10
    assert 10 < found.peak < 1000


@pytest.mark.broker
@EACH_CONTENDER
def test_events_one_by_one(contender: Contender, broker: Mosquitto, tmp_path: Path) -> None:
    """A contender delivers all of them as they come, and takes its share of a core."""
    _require(contender)
    events = numbered_events(100)
    with runner_of_events(broker, events, contender, tmp_path, rate=100) as runner:
        (found,) = by_turns([runner], broker, 20)
    assert found.lost == 0
    assert 30 < found.rate < 110
    assert 0 < found.cpu < found.seconds


@pytest.mark.broker
def test_latency(broker: Mosquitto, tmp_path: Path) -> None:
    """A PUBACK takes its time, the slow ones longer, and in the bridge the stages take theirs."""
    events = numbered_events(100)
    median, slow = through_sdk(broker, tmp_path, events, rate=100)
    assert 0 < median <= slow < 1000
    found = through_bridge(broker, tmp_path, events, rate=100)
    assert 0 < found.median <= found.slow < 1000
    assert found.median / 3 < found.to_read + found.to_puback < found.median * 3
    assert 0 < found.to_commit < 1000


@pytest.mark.broker
@EACH_CONTENDER
def test_to_a_subscriber(contender: Contender, broker: Mosquitto, tmp_path: Path) -> None:
    """A subscriber of AWS IoT's has each event a moment after it was published."""
    _require(contender)
    median, slow = to_subscriber(contender, broker, tmp_path, numbered_events(50), rate=50)
    assert 0 < median <= slow < 1000


@pytest.mark.broker
def test_every_contender_has_a_row(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK is one time itself, and who is not installed has that in place of figures."""
    monkeypatch.setenv("PATH", "")
    bridge, sdk, node_red = backlogs(
        Setup(broker, tmp_path, frames=0, repeats=1, backlog=0), numbered_events(WAITING)
    )
    assert bridge[:1] + bridge[4:5] == ["lora-bridge", "0"]
    assert sdk[:3] == ["SDK alone", "1.00", "-"]
    assert node_red[:2] == ["Node-RED", "not installed: npm i -g node-red"]
    assert len(bridge) == len(sdk) == len(node_red)


def _require(contender: Contender) -> None:
    if contender.missing():
        pytest.skip(contender.missing())
