"""The events of ChirpStack that every contender gets, and how they come to its broker."""

import random
import time
from collections import deque
from dataclasses import replace
from uuid import UUID

from bridge.config import Broker
from bridge.mqtt.client import Publishing, nobody_listens, puback_failure
from console.simulate.chirpstack_devices import Device
from console.simulate.chirpstack_events import Event, Maker
from lab.bench.load import DEVICES, reading_of
from lab.rig.errors import RigError
from lab.rig.mqtt_peer import mqtt_peer

_GATEWAYS = 2  # that have heard each uplink
_WINDOW = 1000  # events that the broker has not acknowledged yet
_LIMIT = 30.0  # seconds for the broker to answer

Events = list[tuple[str, bytes]]
"""Topics and payloads."""


def numbered_events(count: int) -> Events:
    """Return simulated uplinks, whose readings count from 0; a codec in ChirpStack has read each.

    They are the same every time, but for their times.
    """
    rng = random.Random(1)  # noqa: S311  # no secret comes of it
    maker = Maker(rng, time.time_ns, lambda: str(UUID(int=rng.getrandbits(128))))
    return [_numbered(maker, number) for number in range(count)]


def publish(broker: Broker, events: Events, rate: float | None = None) -> list[float]:
    """Publish them as ChirpStack does, ``rate`` a second, or as fast as the broker takes them.

    Return when each was published, by the monotonic clock, once the broker has all.

    Raises:
        RigError: it does not take one, or keeps it for nobody.

    """
    published, under_way = [], deque[Publishing]()
    with mqtt_peer(broker, "chirpstack") as chirpstack:
        started = time.monotonic()
        for number, (topic, payload) in enumerate(events):
            if rate is not None:
                time.sleep(max(0.0, started + number / rate - time.monotonic()))
            published.append(time.monotonic())
            under_way.append(chirpstack.publish_soon(topic, payload))
            if len(under_way) == _WINDOW:
                _settle(under_way.popleft())
        while under_way:
            _settle(under_way.popleft())
    return published


def _numbered(maker: Maker, number: int) -> tuple[str, bytes]:
    f_cnt, device = divmod(number, DEVICES)
    up = _heard_by_all(
        maker, Device(2 * device + 1), f_cnt
    )  # of every second one there is an object
    numbered = replace(up, content={**up.content, "data": reading_of(number).decode()})
    return up.topic, numbered.payload


def _heard_by_all(maker: Maker, device: Device, f_cnt: int) -> Event:
    while True:
        up = maker.up(device, f_cnt)
        if up.payload.count(b'"gatewayId"') == _GATEWAYS:
            return up


def _settle(publishing: Publishing) -> None:
    publishing.exception(_LIMIT)
    if failure := puback_failure(publishing):
        raise RigError(f"ChirpStack's broker does not take an event: {failure.reason}")
    if nobody_listens(publishing):
        raise RigError("ChirpStack's broker keeps an event for nobody")
