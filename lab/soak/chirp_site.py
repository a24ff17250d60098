"""A bridge between a ChirpStack server's broker and AWS, and which rows come of its uplinks."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from contract.names import device_of
from lab.rig.chirpstack_broker import ChirpStackBroker, chirpstack_broker
from lab.rig.running_bridge import running_bridge
from lab.rig.spools import committed, waiting
from lab.soak.chirpstack import ChirpStack
from lab.soak.frames import Tally
from lab.soak.result import Result, result
from lab.soak.site import Settings, Site, site

READY = "ready for events of ChirpStack"
RATE = 200  # uplinks a second
SOON: dict[str, int | str | bool] = {"max_backoff": 2}  # seconds, to AWS
NOW_AND_THEN = {"autosave_on_changes": "false", "autosave_interval": "10"}  # seconds
"""Settings of Mosquitto for many events that wait: it writes all of them at each save, and with a
save after each change it would be busy with nothing else."""
_DRAIN_LIMIT = 300.0  # seconds
_QUIET = 6.0  # seconds without a message, after which none comes: longer than any back-off
_AFTERWARDS = 1.0  # seconds, for what comes again


class Rows(Tally):
    """Sums up messages, and has the rows that the table would have of them.

    A message takes the place of an earlier one of the same device and timestamp.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[tuple[str, str], int] = {}

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def add(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Take messages, topic and payload of each, in the order of their arrival."""
        listed = list(messages)
        super().add(listed)
        for topic, payload in listed:
            row = json.loads(payload)
            self._rows[device_of(topic), row["timestamp"]] = row["seqno"]

    def by_number(self) -> Counter[int]:
        """Return how many rows each uplink has."""
        return Counter(self._rows.values())


@dataclass(frozen=True)
class ChirpSite:
    """A ChirpStack, its broker, and a place for a bridge that the broker has a session of.

    Nothing is published before the context of ``chirpstack``.
    """

    place: Site
    broker: ChirpStackBroker
    chirpstack: ChirpStack
    rows: Rows

    def finish(self) -> None:
        """End the uplinks, and wait until all that the broker has accepted has arrived, or none."""
        self.chirpstack.stop()
        began = time.monotonic()
        self.place.wait_until(lambda: self._ended(began), _DRAIN_LIMIT, "all to arrive")
        self.place.play(_AFTERWARDS)

    def result(
        self, remarks: str, promises: Iterable[tuple[bool, str]] = (), *, may_lose: int = 0
    ) -> Result:
        """Sum up: what counts as sent is what the broker has accepted."""
        numbers = self.rows.by_number()
        arrived = replace(self.place.arrived(), numbers=frozenset(numbers))
        lost = len(self.chirpstack.accepted.keys() - numbers.keys())
        twice = sum(rows > 1 for rows in numbers.values())
        done = result(
            sent=self.chirpstack.accepted,
            committed=committed(self.place.spool),
            arrived=arrived,
            rows=self.rows.count,
            remarks=remarks,
            promises=[
                (lost <= may_lose, f"{lost} lost"),
                (twice == 0, f"{twice} have two rows"),
                *promises,
            ],
        )
        return replace(done, twice=twice)

    def _ended(self, began: float) -> bool:
        """Say whether all has arrived, or nothing has for long, since a moment."""
        if waiting(self.place.spool):
            return False
        there = self.rows.distinct >= len(self.chirpstack.accepted)
        last = max(began, self.place.counter.last_delivery)
        return there or time.monotonic() - last > _QUIET


@contextmanager
def chirp_site(
    folder: Path,
    *,
    rate: float = RATE,
    settings: Settings | None = None,
    broker: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[ChirpSite]:
    """Prepare one; ``settings`` are the bridge's, ``broker`` those of Mosquitto that differ."""
    own = folder / "chirpstack"
    own.mkdir()
    rows = Rows()
    with (
        chirpstack_broker(own, broker) as mosquitto,
        site(folder, {**(settings or {}), "chirpstack": {"port": mosquitto.port}}, rows) as place,
    ):
        with running_bridge(place.config) as bridge:
            bridge.says(READY)  # from here on the broker keeps what comes
            bridge.stop()
        yield ChirpSite(place, mosquitto, ChirpStack(mosquitto.settings, rate, clock), rows)
