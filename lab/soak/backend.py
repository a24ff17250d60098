"""The local AWS as the backend: its table, and a subscriber."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract.names import BRIDGE_APPLICATION, is_event
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
        """Collect what is published for the application, and gaps, until the context ends."""
        with connect(self.host, self.consumer, self.consumer) as client:
            client.subscribe(f"lora/{self.application}/+")
            client.subscribe(f"lora/{BRIDGE_APPLICATION}/+/event/gap")
            yield client.session

    def arrived(self, session: Session, expected: int) -> Delivered:
        """Return the frames that the subscriber got.

        That is once it has ``expected`` of them, with gaps, or when time is up.
        """
        deadline = time.monotonic() + _ROWS_LIMIT
        while True:
            received = list(session.received)
            arrived = delivered(each for each in received if not is_event(each[0]))
            if len(arrived.numbers) + self.gaps(session) >= expected or time.monotonic() > deadline:
                return arrived
            time.sleep(0.2)

    def gaps(self, session: Session) -> int:
        """Return how many gaps the subscriber got, those that came again aside."""
        return len({each for each in session.received if is_event(each[0])})

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
