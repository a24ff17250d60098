"""A bridge's place before a broker, with a link between them that can be broken."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract.names import is_event
from lab.rig.counter import Counter, counter
from lab.rig.errors import RigError
from lab.rig.link import Proxy
from lab.rig.mosquitto import mosquitto
from lab.rig.servers import free_ports
from lab.rig.spools import committed
from lab.soak.fates import Fates
from lab.soak.frames import Delivered, Tally

Settings = Mapping[str, Mapping[str, int | str | bool]]
"""Section of the configuration → key → value."""

_LOOK_EVERY = 0.02  # seconds


def wait_until(condition: Callable[[], bool], limit: float, what: str) -> float:
    """Wait for a condition; return how many seconds it took.

    Raises:
        RigError: it did not come true within ``limit`` seconds.

    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > limit:
            raise RigError(f"waited {limit:.0f} s for {what}")
        time.sleep(_LOOK_EVERY)
    return time.monotonic() - began


@dataclass(frozen=True)
class Site:
    """Where everything is: the bridge's configuration and spool, its port, and the link.

    ``tally`` sums up the uplinks that the broker has delivered, ``fates`` the events of downlinks;
    ``gaps`` are the events of gaps.
    """

    config: Path
    spool: Path
    port: int
    link: Proxy
    counter: Counter
    tally: Tally
    fates: Fates
    gaps: list[bytes]

    def look(self) -> None:
        """Count what the broker has delivered since the last look."""
        self.counter.look()
        messages = list(self.counter.take())
        self.tally.add(each for each in messages if not is_event(each[0]))
        self.fates.add(messages)
        self.gaps.extend(payload for topic, payload in messages if topic.endswith("/event/gap"))

    def committed(self) -> int:
        """Return how many frames have been committed, once all that was has been delivered."""
        self.look()
        return committed(self.spool) - len({*self.gaps})

    def arrived(self) -> Delivered:
        """Return what the broker has delivered so far."""
        self.look()
        return self.tally.sum_up()

    def wait_until(self, condition: Callable[[], bool], limit: float, what: str) -> float:
        """Wait as ``wait_until`` does, counting deliveries meanwhile."""

        def looked() -> bool:
            self.look()
            return condition()

        return wait_until(looked, limit, what)

    def play(self, seconds: float) -> None:
        """Let time pass, counting deliveries."""
        end = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() >= end, seconds + 1, "the time to pass")


@contextmanager
def site(
    folder: Path, settings: Settings | None = None, tally: Tally | None = None
) -> Iterator[Site]:
    """Run a broker behind an open link, in ``folder``, and configure a bridge for it."""
    port, link_port = free_ports(2)
    counted = Tally() if tally is None else tally
    with mosquitto(folder) as broker, counter(broker) as counting:
        link = Proxy(link_port, broker.port)
        link.open()
        try:
            config = configure(folder, port, link_port, settings or {})
            spool = folder / str((settings or {}).get("spool", {}).get("path", "spool.db"))
            yield Site(config, spool, port, link, counting, counted, Fates(), [])
        finally:
            link.close()


def configure(folder: Path, port: int, broker_port: int, settings: Settings) -> Path:
    """Write a bridge's configuration, with ``settings`` changed, beside its certificates."""
    aws: dict[str, int | str] = {
        "endpoint": "localhost",
        "port": broker_port,
        "client_id": "soak",
        "certificate": "client.pem",
        "private_key": "client.key",
        "root_ca": "ca.pem",
        "respect_quotas": False,
    }
    of_chirpstack = settings.get("chirpstack", {})
    sections = {
        "[listen]": {} if of_chirpstack else {"port": port, **settings.get("listen", {})},
        "[chirpstack]": of_chirpstack,
        "aws": {**aws, **settings.get("aws", {})},
        "spool": {"path": "spool.db", **settings.get("spool", {})},
        "http": settings.get("http", {}),
        "downlinks": settings.get("downlinks", {}),
    }
    lines = []
    for name, values in filter(lambda section: section[1], sections.items()):
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    path = folder / "bridge.toml"
    path.write_text("\n".join(lines) + "\n")
    return path
