"""The network servers that the demo can play, and how a bridge is configured for each."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from console.simulate.chirpstack_devices import Device
from console.simulate.chirpstack_events import Event
from console.simulate.frames import APPLICATION, device_eui
from lab.aws.host import Host
from lab.rig.errors import RigError
from lab.rig.servers import free_ports

SEMTECH, CHIRPSTACK = "semtech", "chirpstack"
_PAYLOAD = "BsMz"  # 17.31 degrees
_CHIRPSTACK_TABLE = """\
[[chirpstack]]
port = {port}
application_tag = "app_eui"

"""
_LISTEN_TABLE = re.compile(r"^\[\[listen\]\].*?(?=^\[)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Source:
    """A network server that is played, towards a bridge with this configuration.

    The bridge says ``ready`` when it hears it. ``device`` is the first of its devices, ``where`` an
    option of ``lora-bridge simulate``, and ``uplink`` a command that sends an uplink; ``program``
    says what has to be installed for that.
    """

    config: Path
    ready: str
    device: str
    where: str
    uplink: str
    program: str


def semtech(host: Host) -> Source:
    """Configure the bridge to listen on a free port."""
    config, port = host.configure("bridge.toml", {})
    userdata = {"port": 1, "payload": _PAYLOAD}
    app = {"appeui": APPLICATION, "moteeui": device_eui(0), "dir": "up", "userdata": userdata}
    return Source(
        config,
        ready="ready: ",
        device=f"{APPLICATION}/{device_eui(0)}",
        where=f"--connect 127.0.0.1:{port}",
        uplink=f"printf '{_compact({'app': app})}\\0' | nc -N 127.0.0.1 {port}",
        program="nc is in Debian's netcat-openbsd",
    )


def chirpstack(host: Host, port: int) -> Source:
    """Configure the bridge for ChirpStack's broker on this port.

    Raises:
        RigError: the enrolled configuration is not as expected.

    """
    config = host.folder / "bridge.toml"
    table = _CHIRPSTACK_TABLE.format(port=port)
    text, replaced = _LISTEN_TABLE.subn(table, config.read_text())
    if replaced != 1:
        raise RigError("no [[listen]] in the configuration")
    config.write_text(text)
    device = Device(0)
    event = Event(device, "up", {"deviceInfo": device.info, "fPort": 1, "data": _PAYLOAD})
    return Source(
        config,
        ready="ready for events of ChirpStack",
        device=f"{APPLICATION}/{device.dev_eui}",
        where=f"--chirpstack 127.0.0.1:{port}",
        uplink=f"mosquitto_pub -h 127.0.0.1 -p {port} -q 1 -t {event.topic} \\\n"
        f"    -m '{_compact(event.content)}'",
        program="mosquitto_pub is in Debian's mosquitto-clients",
    )


def with_http(source: Source) -> None:
    """Let the bridge say how it does, on a free port."""
    (port,) = free_ports(1)
    with source.config.open("a") as config:
        config.write(f"\n[http]\nport = {port}\n")


def _compact(content: dict[str, object]) -> str:
    return json.dumps(content, separators=(",", ":"))
