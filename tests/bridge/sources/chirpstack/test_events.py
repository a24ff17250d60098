"""ChirpStack's events are acknowledged when they are on disk, and no session is fought over."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.downlinks import Request, build_request
from lab.rig.chirpstack_broker import ChirpStackBroker, chirpstack_broker
from lab.rig.mqtt_peer import MqttPeer, mqtt_peer
from lab.rig.requests import sender
from lab.rig.running_bridge import LORA_BRIDGE, RunningBridge, running_bridge
from lab.rig.spools import waiting
from lab.soak.chirpstack import event
from lab.soak.site import Settings, Site, site, wait_until

pytestmark = pytest.mark.broker

READY = "ready for events of ChirpStack"
_LIMIT = 30.0  # seconds
_NAME = "lora-bridge.soak"  # the bridge's client ID
_COMMANDS = "application/+/device/+/command/+"
_TIME = 1_795_581_161.0  # seconds since 1970


@dataclass
class Place:
    """Where a bridge is to run, between two brokers, and ChirpStack."""

    site: Site
    broker: ChirpStackBroker
    delivered: list[tuple[str, bytes]]

    @contextmanager
    def bridge(self, ready: str = READY) -> Iterator[RunningBridge]:
        """Run a bridge."""
        with running_bridge(self.site.config) as bridge:
            bridge.says(ready)
            yield bridge

    def look(self) -> list[tuple[str, dict[str, object]]]:
        """Return topics and messages of all that AWS has got."""
        self.site.counter.look()
        self.delivered += self.site.counter.take()
        return [(topic, json.loads(payload)) for topic, payload in self.delivered]

    def uplinks(self) -> list[object]:
        """Return the FCnts of the rows that AWS has got, in order; a repetition is no new row."""
        rows = {
            (topic, each["timestamp"]): each["seqno"]
            for topic, each in self.look()
            if "/event/" not in topic
        }
        return [*rows.values()]

    def told(self, kind: str) -> list[dict[str, object]]:
        """Return the events of a kind that AWS has got."""
        return [each for topic, each in self.look() if topic.endswith(f"/event/{kind}")]

    def until_uplinks(self, *numbers: int) -> None:
        """Wait until AWS has got these."""
        wait_until(lambda: len(self.uplinks()) >= len(numbers), _LIMIT, f"uplinks {numbers}")
        assert self.uplinks() == [*numbers]


@contextmanager
def place_at(
    folder: Path, settings: Settings | None = None, broker: Mapping[str, str] | None = None
) -> Iterator[Place]:
    """Have two brokers."""
    own = folder / "chirpstack"
    own.mkdir()
    with chirpstack_broker(own, broker) as mosquitto:
        of_server = {"port": mosquitto.port, **(settings or {}).get("chirpstack", {})}
        with site(folder, {**(settings or {}), "chirpstack": of_server}) as found:
            yield Place(found, mosquitto, [])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Have two brokers, with the settings that the documents teach."""
    with place_at(tmp_path) as found:
        yield found


@pytest.fixture
def chirpstack(place: Place) -> Iterator[MqttPeer]:
    """Have a ChirpStack connected."""
    with mqtt_peer(place.broker.settings) as peer:
        yield peer


def up(peer: MqttPeer, *numbers: int) -> None:
    """Publish uplinks."""
    for number in numbers:
        peer.publish(*event(number, _TIME + number))


def test_what_waits_for_a_bridge_that_is_away_arrives_once(
    place: Place, chirpstack: MqttPeer
) -> None:
    """After a stop and after a kill the broker still has what came meanwhile."""
    with place.bridge() as bridge:
        up(chirpstack, 1)
        place.until_uplinks(1)
        bridge.stop()
    up(chirpstack, 2, 3)
    with place.bridge() as bridge:
        place.until_uplinks(1, 2, 3)
        bridge.process.kill()
        bridge.process.wait()
    up(chirpstack, *range(4, 60))
    with place.bridge():
        place.until_uplinks(*range(1, 60))
    assert not place.told("gap")


def test_a_stop_acknowledges_what_is_on_disk(place: Place, chirpstack: MqttPeer) -> None:
    """Nothing that was taken before a stop comes again after it."""
    with place.bridge() as bridge:
        up(chirpstack, *range(30))
        place.until_uplinks(*range(30))
        bridge.stop()
    with place.bridge() as bridge:
        up(chirpstack, 30)
        place.until_uplinks(*range(31))
        assert bridge.stop()["received"] == 1


def test_a_full_spool_leaves_the_rest_with_the_broker(tmp_path: Path) -> None:
    """While AWS is away and the spool is full, events are not acknowledged; none is lost."""
    with (
        place_at(tmp_path, {"spool": {"max_bytes": 10_000}}) as place,
        mqtt_peer(place.broker.settings) as chirpstack,
    ):
        place.site.link.close()
        with place.bridge() as bridge:
            up(chirpstack, *range(300))
            bridge.says("full")
            assert waiting(place.site.spool) < 300
            place.site.link.open()
            wait_until(lambda: len({*place.uplinks()}) == 300, _LIMIT, "all uplinks")


def test_a_second_client_with_its_name_is_said_and_not_fought(
    place: Place, chirpstack: MqttPeer
) -> None:
    """The bridge leaves the session to whoever takes it, and says so; it is not ready."""
    with place.bridge() as bridge:
        with mqtt_peer(place.broker.settings, _NAME, 60) as thief:
            bridge.says("Is there a second bridge?")
            up(chirpstack, 1)
            wait_until(lambda: len(thief.heard) == 1, _LIMIT, "the event")
        assert place.uplinks() == []


def test_a_session_that_is_gone_is_a_gap(place: Place, chirpstack: MqttPeer) -> None:
    """The first session of all is none; one that the broker has given up is told as an event."""
    with place.bridge() as bridge:
        up(chirpstack, 1)
        place.until_uplinks(1)
        bridge.stop()
    with mqtt_peer(place.broker.settings, _NAME):
        pass  # a clean start, and an end without an expiry: that ends the session
    with place.bridge():
        wait_until(lambda: len(place.told("gap")) == 1, _LIMIT, "the gap")
        (gap,) = place.told("gap")
        assert (gap["source"], gap["what"]) == ("chirpstack", "events")
        assert gap["reason"] == "the broker had given up the session"


def test_what_the_broker_drops_is_a_gap(tmp_path: Path) -> None:
    """Mosquitto drops what goes beyond its limit, and tells how much: the bridge tells it, too."""
    with (
        place_at(tmp_path, broker={"max_queued_messages": "10"}) as place,
        mqtt_peer(place.broker.settings) as chirpstack,
    ):
        with place.bridge() as bridge:
            up(chirpstack, 0)
            place.until_uplinks(0)
            bridge.stop()
        up(chirpstack, *range(1, 101))
        with place.bridge():
            wait_until(lambda: len(place.told("gap")) >= 1, _LIMIT, "the gap")
        reason = str(place.told("gap")[0]["reason"])
        assert reason.startswith("the broker has dropped ")
        lost = 101 - len({*place.uplinks()})
        assert lost > 0
        assert f" {lost} " in reason


def test_a_broker_that_comes_back_is_subscribed_again(place: Place, chirpstack: MqttPeer) -> None:
    """Killed or stopped, it goes on where it was; the bridge connects again by itself."""
    with place.bridge() as bridge:
        up(chirpstack, 1)
        place.until_uplinks(1)
        place.broker.kill()
        place.broker.start()
        wait_until(lambda: bridge.log.count(READY) == 2, _LIMIT, "the second connection")
        with mqtt_peer(place.broker.settings, "again") as again:
            up(again, 2)
            place.until_uplinks(1, 2)


def test_events_at_qos_0_are_forwarded_and_said(place: Place) -> None:
    """They are not lost where they arrive, but whoever runs ChirpStack should know better."""
    program = shutil.which("mosquitto_pub")
    if program is None:
        pytest.skip("mosquitto_pub is not installed: make brokers")
    topic, payload = event(1, _TIME)
    with place.bridge() as bridge:
        command = [program, "-p", str(place.broker.port), "-t", topic, "-m", payload.decode()]
        subprocess.run([*command, "-q", "0"], check=True)
        place.until_uplinks(1)
        bridge.says("set qos = 1 in ChirpStack's [integration.mqtt]")


def test_what_is_no_event_is_acknowledged_and_kept(place: Place, chirpstack: MqttPeer) -> None:
    """A flood of it is said once with its remedy, and holds up nothing that follows."""
    with place.bridge() as bridge:
        topic, _ = event(1, _TIME)
        for _ in range(100):
            chirpstack.publish(topic, b'{"applicationID":"7","devEUI":"AQ=="}')
        chirpstack.publish(topic, b"\n\x241f")
        up(chirpstack, 2)
        place.until_uplinks(2)
        assert bridge.log.count("frame rejected: ChirpStack v3: only ChirpStack v4 is read") == 1
        assert bridge.log.count("frame rejected: protobuf, not JSON: set json = true") == 1
        counts = bridge.stop()
    assert (counts["received"], counts["rejected"]) == (102, 101)
    with place.bridge() as bridge:
        assert bridge.stop()["received"] == 0


def test_a_rejected_event_is_read_again_when_a_person_asks(
    place: Place, chirpstack: MqttPeer
) -> None:
    """It is parsed by its own topic, with the configuration of then."""
    topic, payload = event(1, _TIME)
    tagged = payload.replace(b'{"site": "north"}', b'{"app": "not an EUI"}')
    config = place.site.config
    text = config.read_text()
    config.write_text(text.replace("[[chirpstack]]", '[[chirpstack]]\napplication_tag = "app"'))
    with place.bridge() as bridge:
        chirpstack.publish(topic, tagged)
        bridge.says("frame rejected: bad EUI")
        bridge.stop()
    config.write_text(text)
    with place.bridge():
        retry = [*LORA_BRIDGE, "rejected", "retry", "--config", str(config)]
        subprocess.run(retry, check=True, capture_output=True)
        place.until_uplinks(1)


def test_events_that_are_published_twice_are_one_row_each(
    place: Place, chirpstack: MqttPeer
) -> None:
    """So it was with two integrations at one broker (chirpstack/chirpstack issue 533)."""
    with place.bridge() as bridge:
        up(chirpstack, 1, 2, 1, 2, 3)
        place.until_uplinks(1, 2, 3)
        assert bridge.stop()["accepted"] == 5
        place.until_uplinks(1, 2, 3)


def test_a_downlink_after_a_restart_of_the_broker(tmp_path: Path) -> None:
    """ChirpStack's subscription may be missing then (chirpstack/chirpstack issue 972): it waits."""
    with (
        place_at(tmp_path, {"downlinks": {"answers_within": 60}}) as place,
        place.bridge() as bridge,
    ):
        with mqtt_peer(place.broker.settings) as chirpstack:
            chirpstack.subscribe(_COMMANDS)
            topic, payload = event(1, _TIME)
            chirpstack.publish(topic, payload)
            place.until_uplinks(1)
        application, device = place.look()[0][0].split("/")[1:3]
        bridge.says("ready for downlinks")
        place.broker.stop()
        place.broker.start()
        wait_until(lambda: bridge.log.count(READY) == 2, _LIMIT, "the bridge to be back")
        with sender(place.site.link.target, place.site.config.parent) as ask:
            ask(f"{application}/{device}", build_request(Request("a", 10, b"\x01")))
            bridge.says("ChirpStack does not listen for downlinks")
            assert [each["state"] for each in place.told("downlink")] == ["accepted"]
            with mqtt_peer(place.broker.settings) as chirpstack:
                chirpstack.subscribe(_COMMANDS)
                wait_until(lambda: len(chirpstack.heard) == 1, _LIMIT, "the command")


def test_a_downlink_waits_until_chirpstack_listens(tmp_path: Path) -> None:
    """PUBACKs without a subscriber are no taking: it is published again, once, and then sent."""
    with (
        place_at(tmp_path, {"downlinks": {"answers_within": 60}}) as place,
        mqtt_peer(place.broker.settings) as chirpstack,
        place.bridge() as bridge,
    ):
        topic, payload = event(1, _TIME)
        chirpstack.publish(topic, payload)
        place.until_uplinks(1)
        application, device = place.look()[0][0].split("/")[1:3]
        bridge.says("ready for downlinks")
        with sender(place.site.link.target, place.site.config.parent) as ask:
            ask(f"{application}/{device}", build_request(Request("a", 10, b"\x01\x0f")))
            bridge.says("ChirpStack does not listen for downlinks")
            chirpstack.subscribe(_COMMANDS)
            wait_until(lambda: len(chirpstack.heard) == 1, _LIMIT, "the command")
        (heard,) = chirpstack.heard
        command = json.loads(heard[1])
        assert heard[0] == topic.replace("event/up", "command/down")
        assert (command["fPort"], command["data"], command["confirmed"]) == (10, "AQ8=", False)
        txack = json.loads(payload) | {"queueItemId": command["id"], "downlinkId": 7}
        chirpstack.publish(topic.replace("/up", "/txack"), json.dumps(txack).encode())
        wait_until(lambda: len(place.told("downlink")) == 3, _LIMIT, "the states")
        assert [each["state"] for each in place.told("downlink")] == [
            *("accepted", "submitted", "sent"),
        ]
        assert len(chirpstack.heard) == 1
