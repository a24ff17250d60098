"""The simulated queues do with commands what ChirpStack does."""

import json
import random
from itertools import count

import pytest

from console.simulate.chirpstack_devices import APPLICATION_ID, Device
from console.simulate.chirpstack_events import Event, Maker
from console.simulate.chirpstack_queue import Queues

NOW = 1_700_000_000_000_000_000
DEVICE = Device(0)
TOPIC = f"application/{APPLICATION_ID}/device/{DEVICE.dev_eui}/command/down"
ITEM = "2f6c1a52-5a9c-4b93-8d1e-3f4f6a2e9b10"
OTHER = "2f6c1a52-5a9c-4b93-8d1e-3f4f6a2e9b11"


class Play:
    """A server with two devices."""

    def __init__(self, lose: float = 0.0) -> None:
        ids = count()
        self.maker = Maker(random.Random(1), lambda: NOW, lambda: f"id-{next(ids)}")
        self.queues = Queues(2, self.maker, random.Random(1), lose)

    def command(self, topic: str = TOPIC, **fields: object) -> None:
        """Give it a command; None leaves a field out."""
        whole = {"id": ITEM, "devEui": DEVICE.dev_eui, "fPort": 10, "data": "AQ8="} | fields
        content = {key: value for key, value in whole.items() if value is not None}
        self.queues.take(topic, json.dumps(content).encode())

    def uplink(self, number: int = 0) -> list[Event]:
        """Let a device send; return what follows."""
        return self.queues.answers(self.maker.up(Device(number), 0))

    def ids(self) -> list[str]:
        """Return what each device's next uplinks have sent, until nothing follows."""
        told = []
        while events := self.uplink():
            told += [str(each.content["queueItemId"]) for each in events if each.kind == "txack"]
        return told


def test_a_confirmed_downlink_is_sent_and_then_acknowledged() -> None:
    """After the device's next uplink, and with the one after that; others' uplinks mean nothing."""
    play = Play()
    play.command(confirmed=True)
    assert play.uplink(1) == []
    (sent,) = play.uplink()
    assert (sent.kind, sent.content["queueItemId"], sent.content["fCntDown"]) == ("txack", ITEM, 1)
    up = play.maker.up(DEVICE, 1)
    (answer,) = play.queues.answers(up)
    assert (answer.kind, answer.content["queueItemId"]) == ("ack", ITEM)
    assert answer.content["acknowledged"] is True
    assert answer.content["deduplicationId"] == up.content["deduplicationId"]
    assert play.uplink() == []


def test_an_unconfirmed_downlink_is_sent() -> None:
    """And no more is said of it; one after the other goes."""
    play = Play()
    play.command()
    play.command(id=OTHER)
    assert [[each.kind for each in play.uplink()] for _ in range(3)] == [["txack"], ["txack"], []]
    assert [(each.id, each.port, each.data) for each in play.queues.items] == [
        (ITEM, 10, b"\x01\x0f"),
        (OTHER, 10, b"\x01\x0f"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"fPort": 0},
        {"fPort": None},
        {"fPort": "ten"},
        {"id": "abc"},
        {"devEui": Device(1).dev_eui},
        {"devEui": DEVICE.dev_eui.upper()},
        {"devEui": None},
        {"data": "?"},
        {"topic": TOPIC.replace("down", "up")},
        {"topic": TOPIC.replace(APPLICATION_ID, OTHER)},
        {"topic": TOPIC.replace(DEVICE.dev_eui, "70b3d57ed0aa0f00"), "devEui": "70b3d57ed0aa0f00"},
    ],
)
def test_what_chirpstack_refuses_is_passed_over(fields: dict[str, str]) -> None:
    """Nothing is ever said of it."""
    play = Play()
    play.command(**fields)
    assert play.uplink() == []
    assert play.queues.taken == 0


@pytest.mark.parametrize("payload", [b"{", b"", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_command_is_passed_over(payload: bytes) -> None:
    """Whatever it is."""
    play = Play()
    play.queues.take(TOPIC, payload)
    assert play.queues.taken == 0


def test_an_id_is_taken_again_only_when_it_has_left() -> None:
    """While it is queued, or its acknowledgement is awaited, it is refused."""
    play = Play()
    for _ in range(2):
        play.command(confirmed=True)
    play.uplink()
    play.command()
    assert play.queues.taken == 1
    play.uplink()
    play.command()
    assert play.queues.taken == 2


def test_a_command_without_an_id_gets_one() -> None:
    """A new one, for each."""
    play = Play()
    play.command(id=None)
    play.command(id=None)
    assert len(set(play.ids())) == 2


def test_what_cannot_be_sent_is_discarded_and_the_next_goes() -> None:
    """At the device's uplink: what has expired by then, and what is too long."""
    play = Play()
    play.command(expiresAt="2023-11-14T22:13:20Z")
    play.command(id=OTHER, data="A" * 300)
    play.command(id="2f6c1a52-5a9c-4b93-8d1e-3f4f6a2e9b12", expiresAt="2023-11-14T22:13:21Z")
    expired, too_long, sent = play.uplink()
    assert (expired.content["code"], expired.content["level"]) == ("EXPIRED", "ERROR")
    assert expired.content["context"] == {"queue_item_id": ITEM}
    assert too_long.content["code"] == "DOWNLINK_PAYLOAD_SIZE"
    assert too_long.content["context"] == {
        "queue_item_id": OTHER,
        "max_payload_size": "222",
        "item_size": "225",
    }
    assert sent.kind == "txack"


def test_some_are_lost_on_purpose() -> None:
    """As many as asked for, which are never answered."""
    play = Play(lose=0.5)
    for _ in range(1000):
        play.command(id=None)
    assert play.queues.taken == 1000
    assert 400 < play.queues.lost < 600
    assert len(play.ids()) == 1000 - play.queues.lost
