"""Tells systemd how the bridge does, as sd_notify(3) has it; without systemd it tells nobody."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress

_log = logging.getLogger(__name__)

_STATUS_EVERY = 10.0  # seconds


class Systemd:
    """What the environment of the process says of systemd.

    ``interval`` is in seconds: how often to speak, so that a watchdog is fed twice in its time.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = address.replace("@", "\0", 1) if address.startswith("@") else address
        microseconds = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watched = ours and microseconds.isdigit()
        half = int(microseconds) / 2_000_000 if self._watched else _STATUS_EVERY
        self.interval = min(half, _STATUS_EVERY)

    def ready(self, status: str) -> None:
        """Say that the service has started."""
        self._say("READY=1", f"STATUS={status}")

    def alive(self, status: str) -> None:
        """Say how it does, which feeds the watchdog."""
        self._say(f"STATUS={status}", *(["WATCHDOG=1"] if self._watched else []))

    def stopping(self) -> None:
        """Say that it ends."""
        self._say("STOPPING=1")

    def _say(self, *lines: str) -> None:
        if not self._address:
            return
        with (
            suppress(OSError),  # nobody listens any more
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending,
        ):
            sending.settimeout(0)
            sending.sendto("\n".join(lines).encode(), self._address)


async def report(
    systemd: Systemd, status: Callable[[], str], stuck: Callable[[], list[str]]
) -> None:
    """Say that the bridge has started, and from time to time how it does, for ever.

    The bridge is ready when it listens, connected or not: from then on it keeps what comes on disk,
    though AWS IoT be away for days. While something is ``stuck``, nobody feeds the watchdog, and
    systemd restarts the bridge. A stuck event loop, which writes the spool, has the same effect.
    """
    systemd.ready(status())
    while True:
        await asyncio.sleep(systemd.interval)
        what = stuck()
        if what:
            _log.error(
                "no answer of any kind from %s: leaving the watchdog to restart the bridge",
                ", ".join(what),
            )
        else:
            systemd.alive(status())
