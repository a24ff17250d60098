"""One run of one contender that takes ChirpStack's events from its broker."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lab.bench.chirpstack_load import Events, publish
from lab.bench.contenders import Contender, Place
from lab.bench.load import distinct
from lab.bench.measure import Result, wait
from lab.bench.process import running, starting
from lab.bench.turns import Runner, parts
from lab.rig.chirpstack_broker import ChirpStackBroker, chirpstack_broker
from lab.rig.counter import counter
from lab.rig.errors import RigError
from lab.rig.mosquitto import Mosquitto
from lab.rig.usage import Usage

_LIMIT = 60.0  # seconds
# Saving all that waits at each change would be what is measured. Its log has who has subscribed.
_SETTINGS = {"persistence": "false", "log_type": "subscribe"}
_SUBSCRIBED = "application/+"


@contextmanager
def chirpstack(folder: Path) -> Iterator[ChirpStackBroker]:
    """Run ChirpStack's broker, with its files below ``folder``."""
    with (
        tempfile.TemporaryDirectory(dir=folder) as name,
        chirpstack_broker(Path(name), _SETTINGS) as server,
    ):
        yield server


@contextmanager
def subscribed(
    command: list[str], contender: Contender, folder: Path, server: ChirpStackBroker
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a contender, from when it has subscribed to events until the context ends.

    Raises:
        RigError: it did not in time.

    """
    with running(command, contender, folder) as process:
        wait_for_subscription(server)
        yield process


def wait_for_subscription(server: ChirpStackBroker) -> None:
    """Wait until a client of ChirpStack's broker has subscribed to events.

    Raises:
        RigError: none has in time.

    """
    deadline = time.monotonic() + _LIMIT
    while _SUBSCRIBED not in server.log:
        if time.monotonic() > deadline:
            raise RigError("nobody has subscribed to ChirpStack's events")
        time.sleep(0.02)


@contextmanager
def runner_of_events(
    broker: Mosquitto, events: Events, contender: Contender, folder: Path, rate: float
) -> Iterator[Runner]:
    """Run a contender with a broker of ChirpStack's of its own, until the context ends.

    Raises:
        RigError: it did not start.

    """
    with chirpstack(folder) as server:
        command = contender.command(Place(broker, folder, server.port), folder)
        with subscribed(command, contender, folder, server) as process:
            send = partial(publish, server.settings, rate=rate)
            yield Runner(process, [partial(send, part) for part in parts(events)])


def measure_backlog(
    contender: Contender, broker: Mosquitto, folder: Path, events: Events
) -> Result:
    """Measure a contender for which all events wait in its session when it starts.

    The seconds are from the first delivery on. Of the CPU, that of a start without events is taken
    off.

    Raises:
        RigError: it did not start, or ended by itself.

    """
    with chirpstack(folder) as server:
        command = contender.command(Place(broker, folder, server.port), folder)
        with subscribed(command, contender, folder, server) as process:
            start = Usage(process.pid).cpu()
        publish(server.settings, events)
        with counter(broker) as counting, starting(command, folder) as process:
            usage = Usage(process.pid)
            wait(counting, usage, process, len(events), until_first=_LIMIT)
            cpu = usage.cpu() - start
    seconds = counting.last_delivery - counting.first_delivery
    return Result(len(events), distinct(counting.messages()), seconds, cpu, usage.peak)
