"""The SDK alone, in a process of its own: how fast it could publish without a bridge around it.

It publishes the bridge's own messages, all made before the clock starts, at QoS 1 with at most
1,000 unacknowledged, and keeps nothing on disk. It starts when somebody connects to its port.
"""

import argparse
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from socket import create_server, socket

from bridge.config import Aws, Listen
from bridge.messages.message import Message, build
from bridge.mqtt.aws_iot import aws_client
from bridge.mqtt.client import Callbacks, Client, keep_thread_state
from bridge.sources.semtech.framing import Framer
from contract.deployment import UNNAMED
from lab.rig.uplinks import uplink_of

_WINDOW = 1000  # unacknowledged publishes
_CONNECT_LIMIT = 10.0  # seconds

READY = "ready"
"""What it prints when it has connected to the broker and has its messages."""


def messages(frames: Path) -> list[Message]:
    """Return the messages that the bridge makes of the uplinks in a file of frames."""
    found = []
    for frame in Framer(Listen().max_frame).feed(frames.read_bytes()):
        if isinstance(frame, bytes):
            uplink = uplink_of(frame)
            found.append(build(uplink, min(uplink.received_at), UNNAMED))
    return found


@contextmanager
def connected(port: int, folder: Path, *, kept: bool = False) -> Iterator[Client]:
    """Connect to the broker on ``port`` with the certificates in ``folder``, as the bridge does.

    ``kept``: also with the SDK's thread kept known to the interpreter, as the bridge does it.
    """
    up, stopped = threading.Event(), threading.Event()

    def connect() -> None:
        if kept:
            keep_thread_state()
        up.set()

    aws = Aws(
        endpoint="localhost",
        port=port,
        client_id="sdk",
        certificate=folder / "client.pem",
        private_key=folder / "client.key",
        root_ca=folder / "ca.pem",
        respect_quotas=False,
    )
    client = aws_client(aws, "sdk", Callbacks(connected=connect, stopped=stopped.set))
    client.start()
    if not up.wait(_CONNECT_LIMIT):
        raise TimeoutError("the broker did not answer the SDK")
    try:
        yield client
    finally:
        client.stop()
        stopped.wait(_CONNECT_LIMIT)


def loop(client: Client, work: list[Message], _connection: socket) -> None:
    """Publish from this thread, which waits for a PUBACK when the window is full."""
    window = threading.Semaphore(_WINDOW)
    for message in work:
        window.acquire()
        publishing = client.publish(message.topic, message.payload)
        publishing.add_done_callback(lambda _done: window.release())


def callback(client: Client, work: list[Message], _connection: socket) -> None:
    """Fill the window, and publish the next message from each PUBACK's callback."""
    rest = iter(work)
    one_at_a_time = threading.RLock()  # a client publishes for one thread at a time

    def publish_next(_done: object) -> None:
        with one_at_a_time:
            message = next(rest, None)
            if message:
                client.publish(message.topic, message.payload).add_done_callback(publish_next)

    for _ in range(_WINDOW):
        publish_next(None)


def steady(client: Client, work: list[Message], connection: socket) -> None:
    """Publish a message for each NUL that is read, as it comes."""
    rest = iter(work)
    while data := connection.recv(65_536):
        for message in islice(rest, data.count(b"\0")):
            client.publish(message.topic, message.payload)


def main() -> None:
    """Publish once; then stay until ended, as what is measured may still be under way."""
    parser = argparse.ArgumentParser(description=__doc__)
    form = parser.add_mutually_exclusive_group(required=True)
    form.add_argument("--loop", dest="form", action="store_const", const=loop)
    form.add_argument("--steady", dest="form", action="store_const", const=steady)
    form.add_argument("--callback", dest="form", action="store_const", const=callback)
    parser.add_argument("--kept", action="store_true", help="keep the SDK's thread known to Python")
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True, help="to wait on for the start")
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--certificates", type=Path, required=True)
    options = parser.parse_args()
    publish: Callable[[Client, list[Message], socket], None] = options.form
    work = messages(options.frames)
    with (
        create_server(("127.0.0.1", options.port)) as server,
        connected(options.broker_port, options.certificates, kept=options.kept) as client,
    ):
        print(READY, flush=True)
        connection, _ = server.accept()
        publish(client, work, connection)
        threading.Event().wait()


if __name__ == "__main__":
    main()
