"""``python -m lab.bench [SECTION ...]``: each section, or those named, with tables of its own."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from lab.bench.report import Setup
from lab.bench.sections import (
    at_risk,
    backlog,
    chirpstack,
    decoder,
    downlinks,
    latency,
    one_by_one,
    steady,
    throughput,
    web,
)
from lab.rig.errors import RigError
from lab.rig.machine import machine
from lab.rig.mosquitto import mosquitto

_SECTIONS = {
    "throughput": throughput.section,
    "paced": one_by_one.section,
    "steady": steady.section,
    "latency": latency.section,
    "at_risk": at_risk.section,
    "downlinks": downlinks.section,
    "backlog": backlog.section,
    "chirpstack": chirpstack.section,
    "decoder": decoder.section,
    "web": web.section,
}
# Unlike /tmp, never in memory: the bridge's spool is to be on a disk.
_ON_DISK = "/var/tmp"  # noqa: S108  # in it, folders of unpredictable names


def main() -> int:
    """Print where this is measured, and the tables as they are ready."""
    parser = argparse.ArgumentParser(prog="python -m lab.bench", description=__doc__)
    parser.add_argument("section", nargs="*", help=f"of {', '.join(_SECTIONS)}; all by default")
    parser.add_argument(
        "--frames", type=int, default=200_000, help="in one burst; half as many events wait"
    )
    parser.add_argument("--repeats", type=int, default=3, help="of every run")
    parser.add_argument("--backlog", type=int, default=1_000_000, help="messages in a full spool")
    options = parser.parse_args()
    if unknown := [each for each in options.section if each not in _SECTIONS]:
        parser.error(f"no such section: {', '.join(unknown)}: there are {', '.join(_SECTIONS)}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        _check_system()
        with tempfile.TemporaryDirectory(prefix="lora-bench-", dir=_ON_DISK) as name:
            folder = Path(name)
            with mosquitto(folder) as broker:
                print(machine(), flush=True)
                setup = Setup(broker, folder, options.frames, options.repeats, options.backlog)
                for section in options.section or _SECTIONS:
                    print(f"\n{_SECTIONS[section](setup)}", flush=True)
    except RigError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _check_system() -> None:
    if not Path("/proc/self/stat").exists():
        raise RigError("Linux is needed: CPU time and memory are read from its /proc")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End on SIGTERM or SIGHUP as on Ctrl-C: no contender is left running."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
