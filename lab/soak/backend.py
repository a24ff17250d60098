"""The local AWS as the backend: its table, and a subscriber."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.aws.consumer import Session, connect
from lab.aws.host import Host
from lab.aws.stored import stored_uplinks
from lab.rig.servers import free_ports
from lab.soak.frames import Delivered, delivered
from lab.soak.site import configure

_ROWS_LIMIT = 60.0  # seconds for the last rows to appear


@dataclass(frozen=True)
class Backend:
    """A local AWS with the stacks deployed and everyone enrolled, for one application."""

    host: Host
    table: str
    bridges: tuple[str, ...]
    consumer: str
    application: str

    def configure(self, folder: Path, bridge: str) -> tuple[Path, int]:
        """Write the configuration of a bridge into ``folder``; return its path and the port."""
        (port,) = free_ports(1)
        identity = {
            "client_id": bridge,
            "certificate": str(self.host.folder / f"{bridge}.pem"),
            "private_key": str(self.host.folder / f"{bridge}.key"),
            "root_ca": str(self.host.aws.mqtt_ca),
        }
        return configure(folder, port, self.host.aws.mqtt_port, {"aws": identity}), port

    @contextmanager
    def subscribed(self) -> Iterator[Session]:
        """Collect what is published for the application, until the context ends."""
        with connect(self.host, self.consumer, self.consumer) as client:
            client.subscribe(f"lora/{self.application}/+")
            yield client.session

    def arrived(self, session: Session, expected: int) -> Delivered:
        """Return what the subscriber got, once it is ``expected`` frames or time is up."""
        deadline = time.monotonic() + _ROWS_LIMIT
        while True:
            arrived = delivered(list(session.received))
            if len(arrived.numbers) >= expected or time.monotonic() > deadline:
                return arrived
            time.sleep(0.2)

    def rows(self, expected: int) -> list[int]:
        """Return the seqno of each row once there are ``expected``, or when time is up."""
        deadline = time.monotonic() + _ROWS_LIMIT
        while True:
            rows = [
                seqno
                for device, seqno in stored_uplinks(self.table)
                if seqno is not None and device.startswith(f"{self.application}/")
            ]
            if len(rows) >= expected or time.monotonic() > deadline:
                return rows
            time.sleep(0.5)
