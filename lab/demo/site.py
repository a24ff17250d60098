"""The demo's whole path, kept running, with three days of its sensors: for pages to show."""

import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from console.simulate.frames import APPLICATION, device_eui
from console.store.devices import table_names
from contract.deployment import UNNAMED
from lab.aws.filling import store_uplinks
from lab.aws.host import Host
from lab.aws.server import led_to, local_aws
from lab.demo.deployed import CONSUMER, set_up, step
from lab.demo.past import WITH_GAPS, past
from lab.demo.sources import semtech, with_http
from lab.rig.running_bridge import running_bridge
from lab.rig.servers import stop

_TOO_SHORT = (
    f'{{"app":{{"appeui":"{APPLICATION}","moteeui":"{device_eui(7)}","dir":"up",'
    '"userdata":{"port":1,"payload":"Bg=="}}}\0'
)
"""An uplink that the codec does not understand."""


@dataclass(frozen=True)
class Site:
    """Where the pages can be served: in this folder, with this environment and these options."""

    folder: Path
    environment: dict[str, str]
    options: tuple[str, ...]


@contextmanager
def demo_site(folder: Path) -> Iterator[Site]:
    """Deploy to a local AWS, store the past, and send an uplink a second, until the context ends.

    Of the devices one misses frames, two are silent, and one has sent what cannot be decoded. This
    process's own SDK is led there, too.
    """
    with ExitStack() as stack:
        with step("start the local AWS: TLS, policies enforced"):
            aws = stack.enter_context(local_aws(folder))
        stack.enter_context(led_to(aws.environment()))
        host = Host(aws, folder)
        set_up(host)
        with step("store three days"):
            same = random.Random(1)  # noqa: S311  # each time the same, for pictures
            store_uplinks(table_names(UNNAMED), past(same, time.time_ns() // 1000))
        source = semtech(host)
        with_http(source)
        bridge = stack.enter_context(running_bridge(source.config))
        bridge.says(source.ready)
        _send(source.where)
        stack.callback(stop, _simulation(source.where))
        at = ("--endpoint", "localhost", "--mqtt-port", str(aws.mqtt_port))
        consumer = ("--name", CONSUMER, *at, "--root-ca", str(aws.mqtt_ca))
        yield Site(folder, aws.environment(), ("--config", source.config.name, *consumer))


def _send(where: str) -> None:
    """Send the uplink that is too short."""
    host, _, port = where.rsplit(maxsplit=1)[-1].partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(_TOO_SHORT.encode())


def _simulation(where: str) -> subprocess.Popen[bytes]:
    """Play the first devices, and not the one with gaps, which pictures show."""
    options = [f"--devices={WITH_GAPS}", "--rate=1"]
    return subprocess.Popen(
        [sys.executable, "-m", "console", "simulate", *where.split(), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
