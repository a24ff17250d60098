"""How long an event of ChirpStack takes from its publishing to the PUBACK of AWS IoT."""

import json
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from lab.bench.bridge_latency import BridgeLatency, latency_of
from lab.bench.chirpstack_load import Events, publish
from lab.bench.chirpstack_runs import chirpstack, subscribed, wait_for_subscription
from lab.bench.contenders import BRIDGE_OF_EVENTS, SDK_OF_EVENTS, Contender, Place
from lab.bench.instrumented_bridge import milliseconds, observe_bridge
from lab.bench.load import uplink_number
from lab.bench.report import percentiles
from lab.rig.chirpstack_broker import ChirpStackBroker
from lab.rig.counter import Counter, counter
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto
from lab.rig.spools import committed

_LIMIT = 60.0  # seconds
_LOOK_EVERY = 0.05  # seconds
_SUBSCRIBER_LOOKS_EVERY = 0.0002  # seconds: what the times are exact to


def through_bridge(broker: Mosquitto, folder: Path, events: Events, rate: float) -> BridgeLatency:
    """Measure the bridge, to which ``rate`` events a second come.

    Raises:
        RigError: it did not start, or lost an event.

    """
    with _placed(broker, folder) as (place, server):

        def send() -> list[float]:
            wait_for_subscription(server)
            published = publish(server.settings, events, rate)
            _wait_for_commits(place.folder / "spool.db", len(events))
            return published

        return latency_of(observe_bridge(BRIDGE_OF_EVENTS, place, send, len(events)))


def through_sdk(
    broker: Mosquitto, folder: Path, events: Events, rate: float
) -> tuple[float, float]:
    """Return the median and the 99th percentile of ms through the SDK alone.

    Raises:
        RigError: it did not start, or lost an event.

    """
    with _placed(broker, folder) as (place, server):
        command = [*SDK_OF_EVENTS.command(place, place.folder), "--count", str(len(events))]
        with subscribed(command, SDK_OF_EVENTS, place.folder, server) as process:
            published = publish(server.settings, events, rate)
            process.wait(_LIMIT)
        said = (place.folder / "log").read_text()
        if process.returncode != 0:
            raise RigError(f"the SDK's latency was not measured:\n{said[-2000:]}")
        acknowledged = json.loads(said.splitlines()[-1])
    return percentiles(milliseconds(published, acknowledged))


def to_subscriber(
    contender: Contender, broker: Mosquitto, folder: Path, events: Events, rate: float
) -> tuple[float, float]:
    """Return the median and the 99th percentile of ms until a subscriber of AWS IoT's has it.

    Raises:
        RigError: it did not start, or lost an event.

    """
    with _placed(broker, folder) as (place, server):
        command = contender.command(place, place.folder)
        with (
            subscribed(command, contender, place.folder, server),
            counter(broker) as counting,
            ThreadPoolExecutor(1) as sending,
        ):
            publishing = sending.submit(publish, server.settings, events, rate)
            seen = _seen(counting, len(events))
            published = publishing.result()
    return percentiles(milliseconds(published, [seen[number] for number in range(len(events))]))


def _seen(counting: Counter, events: int) -> dict[int, float]:
    """Return when each event was delivered, by its number and the monotonic clock."""
    seen: dict[int, float] = {}
    deadline = time.monotonic() + _LIMIT
    while len(seen) < events:
        if time.monotonic() > deadline:
            raise RigError(f"{len(seen)} of {events} events were delivered")
        time.sleep(_SUBSCRIBER_LOOKS_EVERY)
        counting.look()
        now = time.monotonic()
        for _topic, payload in counting.take():
            number = uplink_number(payload)
            if number is not None:
                seen.setdefault(number, now)
    return seen


@contextmanager
def _placed(broker: Mosquitto, folder: Path) -> Iterator[tuple[Place, ChirpStackBroker]]:
    with tempfile.TemporaryDirectory(dir=folder) as name, chirpstack(Path(name)) as server:
        yield Place(broker, Path(name), server.port), server


def _wait_for_commits(spool: Path, events: int) -> None:
    """Wait until all are the bridge's: then it sees to their PUBACKs before it stops."""
    deadline = time.monotonic() + _LIMIT
    while committed(spool) < events:
        if time.monotonic() > deadline:
            raise RigError(f"the bridge committed {committed(spool)} of {events} events")
        time.sleep(_LOOK_EVERY)
