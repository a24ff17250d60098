"""The simulated events are what a real ChirpStack publishes."""

import base64
import json
import random
from collections.abc import Callable, Iterator
from itertools import count, islice

import pytest

from bridge.config import ChirpStack
from bridge.messages.event import Notice
from bridge.messages.uplink import Uplink
from bridge.sources.chirpstack.parsing import Parser
from codec.engine import Received, decode
from codec.mapping import load
from console.simulate.chirpstack_devices import Device
from console.simulate.chirpstack_events import Event, Maker
from console.simulate.frames import APPLICATION
from lab.aws.cdk import PROJECT
from tests.bridge.sources.chirpstack.published import EVENTS

NOW = 1_700_000_000_418_305_123
KINDS = ("join", "up", "status", "log", "location", "txack", "ack")
FREE = {"object", "tags", "context"}  # their keys are whatever they are


def maker(now: Callable[[], int] = lambda: NOW) -> Maker:
    """Return one whose ids are numbers."""
    ids = count()
    return Maker(random.Random(1), now, lambda: f"id-{next(ids)}")


def made(devices: int = 4, uplinks: int = 200) -> list[Event]:
    """Return events of every kind."""
    make = maker()
    joins = [make.join(Device(number)) for number in range(devices)]
    ups = [each for group in islice(make.uplinks(devices), uplinks) for each in group]
    answers = [make.txack(Device(0), "item", 1), make.ack(ups[0], "item", 1)]
    return [*joins, *ups, *answers]


def paths(value: object, place: str = "") -> Iterator[str]:
    """Yield the place and the type of each part of an event."""
    yield f"{place}: {type(value).__name__}"
    if isinstance(value, dict) and place.rpartition(".")[2] not in FREE:
        for key, part in value.items():
            yield from paths(part, f"{place}.{key}")
    elif isinstance(value, list):
        for part in value:
            yield from paths(part, f"{place}[]")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "location"])
def test_the_form_is_what_was_captured(kind: str) -> None:
    """An event has what every real one has, and nothing that no real one has."""
    real = [{*paths(json.loads(each.payload))} for each in EVENTS if each.kind == kind]
    ours = [{*paths(json.loads(each.payload))} for each in made() if each.kind == kind]
    assert ours
    for each in ours:
        assert {path for path in set.intersection(*real) if ".rxInfo[]" not in path} <= each
        assert each <= set.union(*real) | {".object: dict"}


def test_the_bridge_reads_every_one() -> None:
    """As uplinks, events and answers of the application that their tag names."""
    parser = Parser(ChirpStack(application_tag="app_eui"))
    found: dict[str, int] = {}
    for each in made():
        read = parser.read(each.topic, each.payload)
        assert (read.application, read.device) == (APPLICATION, each.device.dev_eui)
        assert isinstance(read.content, Uplink if each.kind == "up" else Notice)
        found[each.kind] = found.get(each.kind, 0) + 1
    assert found == {
        "join": 4,
        "up": 200,
        "status": 8,
        "log": 5,
        "location": 2,
        "txack": 1,
        "ack": 1,
    }


def test_zeros_are_left_out_where_a_gateway_tells() -> None:
    """As protobuf's JSON leaves them out, there alone."""
    ups = [json.loads(each.payload) for each in made() if each.kind == "up"]
    heard = [each for up in ups for each in up["rxInfo"]]
    assert any("channel" not in each for each in heard)
    assert all(each[key] for each in heard for key in each)
    assert 0 in {up["fCnt"] for up in ups}


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (1_764_045_162_412_644_669, "2025-11-25T04:32:42.412644669+00:00"),
        (1_764_045_162_412_644_000, "2025-11-25T04:32:42.412644+00:00"),
        (1_764_045_162_410_000_000, "2025-11-25T04:32:42.410+00:00"),
        (1_764_045_162_000_000_000, "2025-11-25T04:32:42+00:00"),
    ],
)
def test_times_have_as_many_digits_as_they_need(time: int, written: str) -> None:
    """Groups of three."""
    assert maker(lambda: time).join(Device(0)).content["time"] == written


def test_the_codec_of_the_demo_and_chirpstacks_read_the_same() -> None:
    """Our codec has one port; on the other, ChirpStack's has read what ours would."""
    mapping = load(PROJECT / "lab" / "demo_codecs")
    ups = [json.loads(each.payload) for each in made(uplinks=8) if each.kind == "up"]
    for up in ups:
        ours = mapping.find(APPLICATION, up["deviceInfo"]["devEui"], up["fPort"])
        assert (ours is None) == ("object" in up) == (up["fPort"] == 3)
    (codec,) = {codec for _, codec in mapping.entries}
    told = [up for up in ups if "object" in up]
    given = [Received(base64.b64decode(up["data"]), 1) for up in told]
    assert [decode(codec, each).data for each in given] == [up["object"] for up in told]


def test_the_same_readings_every_time() -> None:
    """Two simulations make the same, but for times and ids."""
    assert [each.content for each in made()] == [each.content for each in made()]
