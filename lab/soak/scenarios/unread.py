"""Nobody reads the bridge's log."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from lab.rig.running_bridge import LORA_BRIDGE
from lab.rig.servers import stop
from lab.rig.spools import committed, waiting
from lab.soak.frames import frame
from lab.soak.result import Result, result
from lab.soak.sender import Sender
from lab.soak.site import site

_RATE = 1000  # frames a second, each of which is some lines at debug level
_FRAMES = 20_000
_LIMIT = 120.0  # seconds
_STOP = 30.0  # seconds


def unread(folder: Path, say: Callable[[str], None]) -> Result:
    """Log all there is to a pipe that nobody reads, under frames, and stop the bridge."""
    with site(folder) as place:
        command = [*LORA_BRIDGE, "run", "--config", str(place.config), "--log-level", "debug"]
        with (
            subprocess.Popen(command, stderr=subprocess.PIPE) as process,
            Sender(place.port, _RATE, frame) as sender,
        ):
            place.wait_until(lambda: len(sender.sent_at) >= _FRAMES, _LIMIT, "the frames")
            say("the pipe is full")
            sender.stop()
            place.wait_until(lambda: waiting(place.spool) == 0, _LIMIT, "the spool to drain")
            stop(process, _STOP)
        arrived = place.arrived()
        return result(
            sent=sender.sent_at,
            committed=committed(place.spool),
            arrived=arrived,
            remarks=f"ended with status {process.returncode}",
            promises=[
                (arrived.numbers >= sender.sent_at.keys(), "frames were lost"),
                (arrived.out_of_order == 0, "a device's frames came out of order"),
                (process.returncode == 0, "SIGTERM did not end it"),
            ],
        )
