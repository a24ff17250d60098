"""``python -m lab.demo.pictures``: pictures of the pages for the documents."""

import io
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser

from console.simulate.frames import APPLICATION, device_eui
from console.store.devices import table_names
from contract.deployment import UNNAMED
from lab.aws.cdk import PROJECT, CdkError
from lab.aws.filling import store_uplinks
from lab.aws.host import Host
from lab.aws.server import LocalAwsError, local_aws
from lab.demo.deployed import CONSUMER, set_up, step
from lab.demo.past import WITH_GAPS, past
from lab.demo.sources import semtech
from lab.rig.browser import chromium, visit
from lab.rig.errors import RigError
from lab.rig.running_bridge import running_bridge
from lab.rig.running_web import RunningWeb, running_web
from lab.rig.servers import free_ports, stop

_FOLDER = PROJECT / "docs" / "images"
_SIZE = (1280, 860)
_COLOURS = 96  # of a picture: more make it larger, not better
_LIMIT = 90_000  # milliseconds until a page has all that it shows
_DEVICE = f"/devices/{APPLICATION}/{device_eui(WITH_GAPS)}"
_TOO_SHORT = (
    f'{{"app":{{"appeui":"{APPLICATION}","moteeui":"{device_eui(7)}","dir":"up",'
    '"userdata":{"port":1,"payload":"Bg=="}}}\0'
)
"""An uplink that the codec does not understand."""


@dataclass(frozen=True)
class _Picture:
    """A picture of a page, taken when a function of its script says that all is there."""

    name: str
    path: str
    ready: str
    scheme: Literal["light", "dark"] = "light"


_WHOLE = "() => !/Looking|looked at …/.test(document.querySelector('main').innerText)"
_COUNTED = "() => /^\\d+ devices, \\d+ silent$/.test(document.getElementById('count').textContent)"
_DRAWN = "() => /uplinks$/.test(document.getElementById('shown').textContent)"
_PICTURES = (
    _Picture("path", "/", _WHOLE),
    _Picture("devices", "/devices", _COUNTED),
    _Picture("device", _DEVICE, _DRAWN),
    _Picture("device-dark", _DEVICE, _DRAWN, "dark"),
)


def main() -> int:
    """Deploy, fill, serve and take the pictures."""
    try:
        with tempfile.TemporaryDirectory(prefix="lora-pictures-") as name, ExitStack() as stack:
            _take_all(Path(name), stack)
    except (LocalAwsError, CdkError, RigError) as error:
        print(f"pictures: {error}", file=sys.stderr)
        return 1
    return 0


def _take_all(folder: Path, stack: ExitStack) -> None:
    with step("start the local AWS: TLS, policies enforced"):
        aws = stack.enter_context(local_aws(folder))
    os.environ.update(aws.environment())
    host = Host(aws, folder)
    set_up(host)
    with step("store three days"):
        same = random.Random(1)  # noqa: S311  # each time the same pictures, nearly
        store_uplinks(table_names(UNNAMED), past(same, time.time_ns() // 1000))
    source = semtech(host)
    (health,) = free_ports(1)
    with source.config.open("a") as config:
        config.write(f"\n[http]\nport = {health}\n")
    bridge = stack.enter_context(running_bridge(source.config))
    bridge.says(source.ready)
    _send(source.where)
    simulate = [sys.executable, "-m", "console", "simulate", *source.where.split()]
    simulation = subprocess.Popen(
        # Not of the device that is shown: what it plays is another day's weather.
        [*simulate, f"--devices={WITH_GAPS}", "--rate=1"],
        stderr=subprocess.DEVNULL,
    )
    stack.callback(stop, simulation)
    consumer = ("--name", CONSUMER, "--endpoint", "localhost", "--mqtt-port", str(aws.mqtt_port))
    options = ("--config", str(source.config), *consumer, "--root-ca", str(aws.mqtt_ca))
    web = stack.enter_context(running_web(aws.environment(), folder, options))
    browser = stack.enter_context(chromium())
    _FOLDER.mkdir(exist_ok=True)
    for picture in _PICTURES:
        with step(f"docs/images/{picture.name}.png"):
            (_FOLDER / f"{picture.name}.png").write_bytes(_take(browser, web, picture))


def _send(where: str) -> None:
    """Send the uplink that is too short."""
    host, _, port = where.rsplit(maxsplit=1)[-1].partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(_TOO_SHORT.encode())


def _take(browser: Browser, web: RunningWeb, picture: _Picture) -> bytes:
    with visit(browser, web.at(picture.path), _SIZE, picture.scheme) as visiting:
        visiting.page.wait_for_function(picture.ready, timeout=_LIMIT)
        content = visiting.page.screenshot(animations="disabled", caret="hide")
        if visiting.complaints:
            raise RigError(f"a page complained: {visiting.complaints}")
    smaller = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        few = image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        few.save(smaller, "PNG", optimize=True)
    return smaller.getvalue()


if __name__ == "__main__":
    sys.exit(main())
