"""Asks for downlinks as a sender does, over MQTT with a certificate."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from bridge.config import Aws
from bridge.mqtt.aws_iot import aws_client
from bridge.mqtt.client import Callbacks, puback_failure
from contract.deployment import UNNAMED
from lab.rig.errors import RigError

_LIMIT = 10.0  # seconds
Ask = Callable[[str, bytes], None]
"""Asks for a downlink to ``APPEUI/MOTEEUI`` with a payload; returns when the broker has it."""


@contextmanager
def sender(port: int, folder: Path, client_id: str = "sender") -> Iterator[Ask]:
    """Connect to the broker on ``port`` with the certificates in ``folder``.

    Raises:
        RigError: it does not let the client in, or does not take a request.

    """
    connected, stopped = Future[None](), Future[None]()
    aws = Aws(
        endpoint="localhost",
        port=port,
        client_id=client_id,
        certificate=folder / "client.pem",
        private_key=folder / "client.key",
        root_ca=folder / "ca.pem",
        respect_quotas=False,
    )

    def on_connected() -> None:
        if not connected.done():
            connected.set_result(None)

    callbacks = Callbacks(connected=on_connected, stopped=lambda: stopped.set_result(None))
    client = aws_client(aws, client_id, callbacks)

    def ask(device: str, payload: bytes) -> None:
        publishing = client.publish(UNNAMED.request_topic(device), payload)
        publishing.exception(_LIMIT)
        if failure := puback_failure(publishing):
            raise RigError(f"the request was not taken: {failure.reason}")

    client.start()
    try:
        connected.result(_LIMIT)
        yield ask
    finally:
        client.stop()
        stopped.result(_LIMIT)
