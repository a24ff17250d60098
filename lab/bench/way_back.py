"""How long a request for a downlink takes from its publishing to where it is wanted.

Each run has a broker of its own: the session of a bridge outlives it, and gets what others ask for.
"""

import json
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import Popen
from typing import cast

from contract.deployment import UNNAMED
from contract.downlinks import Request, build_request
from lab.bench import sdk_subscriber
from lab.bench.contenders import BRIDGE, Contender, Place
from lab.bench.process import running
from lab.bench.sdk import connected
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto, mosquitto
from lab.rig.network_server import APPLICATION, NetworkServer, Taken, network_server
from lab.rig.servers import free_ports

_LIMIT = 60.0  # seconds
_LOOK_EVERY = 0.05  # seconds
_PORT = 10
_BRIDGE = replace(BRIDGE, ready="ready for downlinks")
_SDK = Contender("SDK's subscriber", lambda _place, _path: [], sdk_subscriber.READY)


def through_bridge(folder: Path, rate: float, seconds: float) -> list[float]:
    """Return the ms to the network server's socket, at ``rate`` requests a second.

    Raises:
        RigError: the bridge did not start, or not all came.

    """
    count = int(rate * seconds)
    with bridge_with_downlinks(folder) as playing:
        published = publish(playing.broker, count, rate)
        came = {_number(each): each.at for each in playing.server.has_taken(count)}
    return [1000 * (came[number] - at) for number, at in enumerate(published)]


def to_subscriber(folder: Path, rate: float, seconds: float) -> list[float]:
    """Return the ms to the callback of the SDK's own subscriber.

    Raises:
        RigError: it did not start, or not all came.

    """
    count = int(rate * seconds)
    with tempfile.TemporaryDirectory(dir=folder) as name, mosquitto(Path(name)) as broker:
        command = [
            *(sys.executable, "-m", sdk_subscriber.__name__, "--count", str(count)),
            *("--broker-port", str(broker.port), "--certificates", str(broker.folder)),
        ]
        with running(command, _SDK, Path(name)) as process:
            published = publish(broker, count, rate)
            process.wait(_LIMIT)
        said = (Path(name) / "log").read_text()
        if process.returncode != 0:
            raise RigError(f"the SDK's subscriber failed:\n{said[-2000:]}")
        came = json.loads(said.splitlines()[-1])
    return [1000 * (came[str(number)] - at) for number, at in enumerate(published)]


@dataclass(frozen=True)
class Playing:
    """A bridge with downlinks, by its process and its port, between a broker and its server."""

    broker: Mosquitto
    process: Popen[bytes]
    port: int
    server: NetworkServer


@contextmanager
def bridge_with_downlinks(folder: Path) -> Iterator[Playing]:
    """Run one until the context ends, with its files below ``folder``."""
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(dir=folder) as name, mosquitto(Path(name)) as broker:
        place = Place(broker, Path(name), port)
        *command, config = BRIDGE.command(place, place.folder)
        listen = f'[[listen]]\napplication = "{APPLICATION}"'
        settings = Path(config).read_text().replace("[[listen]]", listen)
        Path(config).write_text(f"{settings}\n[downlinks]\n")
        with (
            running([*command, config], _BRIDGE, place.folder) as process,
            network_server(port) as server,
        ):
            yield Playing(broker, process, port, server)


def publish(broker: Mosquitto, count: int, rate: float) -> list[float]:
    """Ask for a downlink of each of ``count`` devices; return when, by the monotonic clock."""
    published = []
    with connected(broker.port, broker.folder) as client:
        started = time.monotonic()
        for number in range(count):
            payload = build_request(Request(str(number), _PORT, number.to_bytes(3, "big")))
            topic = UNNAMED.request_topic(f"{APPLICATION}/{number:x}")
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
            published.append(time.monotonic())
            publishing = client.publish(topic, payload)
        publishing.result(_LIMIT)
    return published


def _number(taken: Taken) -> int:
    userdata = cast("dict[str, str]", taken.content["userdata"])
    return int.from_bytes(b64decode(userdata["payload"]), "big")
