"""Plays Semtech's network server towards a bridge: writes frames, and takes downlinks."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from lab.rig.errors import RigError

APPLICATION, DEVICE = "37817737f13", "9372163"
_LIMIT = 30.0  # seconds
_LOOK_EVERY = 0.005  # seconds


@dataclass(frozen=True, slots=True)
class Taken:
    """A downlink as the server got it; ``at`` is in seconds of the monotonic clock."""

    at: float
    kind: str
    content: dict[str, object]

    @property
    def token(self) -> int:
        """What it is called in answers."""
        token = self.content["token"]
        if not isinstance(token, int):
            raise RigError(f"no token: {self.content}")
        return token


class NetworkServer:
    """A connection to a bridge; ``taken`` has the downlinks that came over it."""

    def __init__(self, connection: socket.socket, on_taken: Callable[[Taken], object]) -> None:
        self._connection = connection
        self._on_taken = on_taken
        self.taken: list[Taken] = []

    def write(self, **frame: object) -> None:
        """Write a frame of these root objects."""
        self._connection.sendall(json.dumps(frame).encode() + b"\0")

    def uplink(self, application: str = APPLICATION, device: str = DEVICE, port: int = 1) -> None:
        """Write an uplink, by which the bridge learns whose device it is."""
        userdata = {"port": port, "payload": "Af4="}
        self.write(
            app={"appeui": application, "moteeui": device, "dir": "up", "userdata": userdata}
        )

    def sent(self, taken: Taken) -> None:
        """Say that a downlink was sent."""
        self.write(mote={"eui": taken.content["moteeui"], "app": True, "msgsent": taken.token})

    def acknowledged(self, taken: Taken) -> None:
        """Say that a device has acknowledged its confirmed downlink."""
        self.write(mote={"eui": taken.content["moteeui"], "app": True, "ackrx": True})

    def has_taken(self, number: int) -> list[Taken]:
        """Return the downlinks once there are so many.

        Raises:
            RigError: there are fewer when time is up.

        """
        deadline = time.monotonic() + _LIMIT
        while len(self.taken) < number:
            if time.monotonic() > deadline:
                raise RigError(f"{len(self.taken)} of {number} downlinks came")
            time.sleep(_LOOK_EVERY)
        return self.taken

    def read(self) -> None:
        """Take downlinks until the connection ends."""
        tail = b""
        with suppress(OSError):
            while data := self._connection.recv(65_536):
                at = time.monotonic()
                *frames, tail = (tail + data).split(b"\0")
                for frame in frames:
                    ((kind, content),) = json.loads(frame).items()
                    taken = Taken(at, kind, content)
                    self.taken.append(taken)
                    self._on_taken(taken)


@contextmanager
def network_server(
    port: int, on_taken: Callable[[Taken], object] = lambda _taken: None
) -> Iterator[NetworkServer]:
    """Connect to the bridge that listens on ``port``, until the context ends.

    ``on_taken`` is called for each downlink, on a thread of its own.
    """
    with socket.create_connection(("127.0.0.1", port), _LIMIT) as connection:
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = NetworkServer(connection, on_taken)
        reading = threading.Thread(target=server.read)
        reading.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            reading.join()
