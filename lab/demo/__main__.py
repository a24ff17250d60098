"""The demo: both ways on one machine, from uplinks to a chart, and a downlink back."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from types import FrameType

from console.simulate.frames import APPLICATION
from console.store.history import table_name
from contract.deployment import UNNAMED
from lab.aws.cdk import CdkError
from lab.aws.host import Host
from lab.aws.server import LocalAwsError, local_aws
from lab.aws.stored import Stored, count_stored
from lab.demo.deployed import set_up, step
from lab.demo.kept import stay
from lab.demo.sources import CHIRPSTACK, SEMTECH, Source, chirpstack, semtech
from lab.rig.chirpstack_broker import ChirpStackBroker, chirpstack_broker
from lab.rig.errors import RigError
from lab.rig.running_bridge import LORA_BRIDGE, running_bridge

_DEVICES, _UPLINKS, _RATE = 20, 1000, 100
_SEND_LIMIT = 90.0  # seconds for all uplinks to reach the table
_LOOK_EVERY = 2.0  # seconds
_DOWNLINK = ("--port", "10", "010f", "--confirmed", "--wait", "60s")
_LINE_END = "\r" if sys.stdout.isatty() else "\n"


def main() -> int:
    """Run the demo; return 0 when what was sent, published and stored agrees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="stay up until Ctrl-C")
    parser.add_argument("--source", choices=(SEMTECH, CHIRPSTACK), default=SEMTECH)
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="lora-demo-"))
    try:
        return _run(folder, of_chirpstack=arguments.source == CHIRPSTACK, keep=arguments.keep)
    except (LocalAwsError, CdkError, RigError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder)


def _run(folder: Path, *, of_chirpstack: bool, keep: bool) -> int:
    with ExitStack() as stack:
        broker = stack.enter_context(_broker(folder / CHIRPSTACK)) if of_chirpstack else None
        with step("start the local AWS: TLS, policies enforced"):
            aws = stack.enter_context(local_aws(folder))
        os.environ.update(aws.environment())
        host = Host(aws, folder)
        settings = set_up(host)
        source = chirpstack(host, broker.port) if broker else semtech(host)
        status = _play(host, source)
        if keep:
            stay(host, source, settings)
        return status


@contextmanager
def _broker(folder: Path) -> Iterator[ChirpStackBroker]:
    folder.mkdir()
    with ExitStack() as stack:
        with step("start ChirpStack's broker, a Mosquitto"):
            broker = stack.enter_context(chirpstack_broker(folder))
        yield broker


def _play(host: Host, source: Source) -> int:
    """Send uplinks and a downlink through, show some, and compare what every part counted."""
    with running_bridge(source.config) as bridge:
        with step("lora-bridge run"):
            bridge.says("ready: ")
            bridge.says("ready for downlinks")
            bridge.says(source.ready)
        played, stored = _simulate(source)
        _show(host, "devices", "--application", APPLICATION, "--since", "1h")
        _show(host, "history", source.device, "--limit", "10")
        _show(host, "history", source.device, "--plot", "temperature")
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


def _simulate(source: Source) -> tuple[_Played, Stored]:
    """Send the uplinks, showing how many have been decoded, until all are or time is up.

    Once there is one, a downlink goes to the device.
    """
    print(f"lora-bridge simulate: {_UPLINKS} uplinks of {_DEVICES} devices, {_RATE} a second")
    command = [sys.executable, "-m", "console", "simulate", *source.where.split()]
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
                acknowledged = _send(source.device)
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


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End on SIGTERM or SIGHUP as on Ctrl-C: nothing is left running, no key is left behind."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
