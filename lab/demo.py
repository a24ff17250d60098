"""The demo: both ways on one machine, from frames on a socket to a chart, and a downlink back."""

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from types import FrameType

from console.simulate.frames import APPLICATION, device_eui
from console.store.history import table_name
from contract.deployment import UNNAMED
from lab.aws.cdk import PROJECT, CdkError, deploy, write_settings
from lab.aws.delivery import accept_plain_delivery
from lab.aws.host import Host
from lab.aws.server import LocalAwsError, local_aws
from lab.aws.stored import Stored, count_stored
from lab.rig.errors import RigError
from lab.rig.running_bridge import LORA_BRIDGE, running_bridge

_BRIDGE, _CONSUMER = "network-host-1", "reader"
_CODECS = Path(__file__).parent / "demo_codecs"
_DEVICES, _UPLINKS, _RATE = 20, 1000, 100
_SEND_LIMIT = 90.0  # seconds for all uplinks to reach the table
_LOOK_EVERY = 2.0  # seconds
_EXPORTED = (
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
)
_DOWNLINK = ("--port", "10", "010f", "--confirmed", "--wait", "60s")
_LINE_END = "\r" if sys.stdout.isatty() else "\n"

_SECOND_TERMINAL = """
All of it stays up until Ctrl-C; the bridge's log is {folder}/bridge.log.
The bridge's process is {pid}. Whenever it ends, it is started again: kill {pid} restarts it.
In other terminals:

  . {project}/.venv/bin/activate
  export {exports}
  cd {folder}

subscribe, in one of them (mosquitto_sub is in Debian's mosquitto-clients):
  mosquitto_sub -h localhost -p {mqtt_port} -i reader -t 'lora/#' -v --cafile iot-ca.pem \\
    --cert reader.pem --key reader.key
send a frame, or several (nc is in Debian's netcat-openbsd):
  printf '{{"app":{{"appeui":"37817737f13","moteeui":"9372163","dir":"up","userdata":\
{{"port":1,"payload":"BsMz"}}}}}}\\0' | nc -N 127.0.0.1 {port}
  lora-bridge simulate --connect 127.0.0.1:{port} --count 10
send a downlink; a network server takes it while the line above runs, without --count:
  lora-bridge send 37817737f13/9372163 --port 10 010f --confirmed --wait 60s
look:
  lora-bridge check --round-trip
  lora-bridge history 37817737f13/9372163 --since 10m
  lora-bridge events 37817737f13/9372163
  lora-bridge history 37817737f13/9372163 --follow --name reader \\
    --endpoint localhost --port {mqtt_port} --root-ca iot-ca.pem
deploy again, after a change of stacks, codecs or settings:
  cd {project} && npx cdk deploy --all -c settings={settings}
"""


def main() -> int:
    """Run the demo; return 0 when what was sent, published and stored agrees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="stay up until Ctrl-C")
    keep = parser.parse_args().keep
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="lora-demo-"))
    try:
        return _run(folder, keep=keep)
    except (LocalAwsError, CdkError, RigError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder)


def _run(folder: Path, *, keep: bool) -> int:
    with ExitStack() as stack:
        with _step("start the local AWS: TLS, policies enforced"):
            aws = stack.enter_context(local_aws(folder))
        os.environ.update(aws.environment())
        host = Host(aws, folder)
        settings = _set_up(host)
        config, port = host.configure("bridge.toml", {})
        status = _play(host, config, port)
        if keep:
            _stay(host, config, port, settings)
        return status


def _set_up(host: Host) -> Path:
    """Deploy and enroll; return the file of settings, which deploys the same again."""
    with _step(f"lora-bridge keygen, for {_BRIDGE} and a consumer, {_CONSUMER}"):
        settings: dict[str, object] = {
            "environment": "development",
            "codecs": str(_CODECS),
            "publish_decoded": True,  # for history --follow
            "bridges": {_BRIDGE: str(host.keygen(_BRIDGE))},
            "consumers": {_CONSUMER: str(host.keygen(_CONSUMER))},
        }
    with _step("cdk bootstrap, cdk deploy --all"):
        path = write_settings(host.folder, settings)
        deploy(os.environ, host.folder / "cdk.out", path)
        accept_plain_delivery()
    with _step("lora-bridge enroll, for both"):
        host.enroll(_BRIDGE)
        host.enroll(_CONSUMER)
    return path


def _play(host: Host, config: Path, port: int) -> int:
    """Send uplinks and a downlink through, show some, and compare what every part counted."""
    with running_bridge(config) as bridge:
        with _step("lora-bridge run"):
            bridge.says("ready: ")
            bridge.says("ready for downlinks")
        device = f"{APPLICATION}/{device_eui(0)}"
        played, stored = _simulate(port, device)
        _show(host, "devices", "--application", APPLICATION, "--since", "1h")
        _show(host, "history", device, "--limit", "10")
        _show(host, "history", device, "--plot", "temperature")
        published = bridge.stop()["published"]
    sent = played.sent
    lost, duplicates = sent - stored.distinct, stored.rows - stored.distinct
    counts = f"sent={sent} published={published} stored={stored.rows} decoded={stored.decoded}"
    downlinks = f"downlinks={played.downlinks} acknowledged={played.acknowledged}"
    print(f"{counts} lost={lost} duplicates={duplicates} {downlinks}", flush=True)
    agree = {published, *astuple(stored)} == {sent}
    return 0 if agree and played.downlinks == played.acknowledged == 1 else 1


def _show(host: Host, *arguments: str) -> None:
    print(f"\nlora-bridge {' '.join(arguments)}", flush=True)
    print(host.lora_bridge(*arguments), end="")


@dataclass(frozen=True)
class _Played:
    """What the simulated network server counted, and the downlinks that were acknowledged."""

    sent: int
    downlinks: int
    acknowledged: int


def _simulate(port: int, device: str) -> tuple[_Played, Stored]:
    """Send the uplinks, showing how many have been decoded, until all are or time is up.

    Once there is one, a downlink goes to the device.
    """
    print(f"lora-bridge simulate: {_UPLINKS} uplinks of {_DEVICES} devices, {_RATE} a second")
    command = [sys.executable, "-m", "console", "simulate", f"--connect=127.0.0.1:{port}"]
    options = [f"--devices={_DEVICES}", f"--rate={_RATE}", f"--count={_UPLINKS}"]
    table = table_name(UNNAMED)
    deadline = time.monotonic() + _SEND_LIMIT
    acknowledged: bool | None = None
    # Its own progress would share the line with the count of what is stored.
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as simulation:
        while True:
            stored = count_stored(table)
            done = f"  stored {stored.rows:5}, decoded {stored.decoded:5} of {_UPLINKS}"
            print(done, end=_LINE_END, flush=True)
            if stored.rows and acknowledged is None:
                acknowledged = _send(device)
            ended = simulation.poll() is not None
            if (ended and stored.decoded >= _UPLINKS) or time.monotonic() > deadline:
                break
            time.sleep(_LOOK_EVERY)
        simulation.kill()
        said, _ = simulation.communicate()
    counts = dict(re.findall(r"(\w+)=(\d+)", said))
    sent, downlinks = (int(counts.get(name, 0)) for name in ("sent", "downlinks"))
    return _Played(sent, downlinks, int(bool(acknowledged))), stored


def _send(device: str) -> bool:
    """Send a confirmed downlink, showing each of its states; return whether it got there."""
    print(f"\nlora-bridge send {device} {' '.join(_DOWNLINK)}", flush=True)
    done = subprocess.run([*LORA_BRIDGE, "send", device, *_DOWNLINK], check=False)
    print(flush=True)
    return done.returncode == 0


def _stay(host: Host, config: Path, port: int, settings: Path) -> None:
    """Keep a bridge running, and say what else to try, until Ctrl-C."""
    environment = host.aws.environment()
    exports = [f"{name}={shlex.quote(environment[name])}" for name in _EXPORTED]
    with suppress(KeyboardInterrupt):
        while True:
            with running_bridge(config) as bridge:
                bridge.says("ready: ")
                text = _SECOND_TERMINAL.format(
                    exports=" ".join(exports),
                    port=port,
                    mqtt_port=host.aws.mqtt_port,
                    folder=host.folder,
                    project=shlex.quote(str(PROJECT)),
                    settings=shlex.quote(str(settings)),
                    pid=bridge.process.pid,
                )
                print(text, flush=True)
                bridge.process.wait()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End on SIGTERM or SIGHUP as on Ctrl-C: nothing is left running, no key is left behind."""
    raise KeyboardInterrupt


@contextmanager
def _step(title: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    print(f"{title} …", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
