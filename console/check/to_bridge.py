"""Sends the test uplink to the bridge, as a network server would."""

import socket
import time
from contextlib import closing

from bridge.addresses import why
from bridge.config import ChirpStack, Config, Listen
from bridge.sources.chirpstack.server import client_ids
from console.check import broker
from console.check.chain import BrokenError, NotTriedError
from console.check.test_uplink import MarkedUplink

_LIMIT = 10.0  # seconds


def send(uplink: MarkedUplink, config: Config) -> str:
    """Send it on the first port that the bridge listens on, or by the first ChirpStack's broker.

    Raises:
        BrokenError: nobody takes it.
        NotTriedError: the broker does not allow it.

    """
    if config.listen:
        return _on_socket(uplink, config.listen[0])
    client_id, *_others = client_ids(config.chirpstack, config.aws)
    return _on_broker(uplink, config.chirpstack[0], client_id)


def _on_socket(uplink: MarkedUplink, listen: Listen) -> str:
    if listen.port == 0:
        raise BrokenError("port 0 is any that was free", "give [[listen]] a port, and restart")
    try:
        with socket.create_connection((listen.host, listen.port), _LIMIT) as connection:
            connection.sendall(uplink.frame())
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)  # the bridge closes when it has read everything
    except (OSError, UnicodeError) as error:
        raise BrokenError(
            f"{listen.address}: {why(error)}",
            "start the bridge: lora-bridge run; or see its log",
        ) from None
    return f"taken on {listen.address}"


def _on_broker(uplink: MarkedUplink, server: ChirpStack, client_id: str) -> str:
    topic, event = uplink.event(server, time.time_ns() // 1000)
    with closing(broker.session(server, client_id)) as session:
        session.connect()
        try:
            heard = session.is_heard(topic, event)
        except BrokenError as refused:
            # A bridge needs no such right, and should have none.
            raise NotTriedError(str(refused)) from None
    if not heard:
        raise BrokenError(
            f"nobody listens on {topic}",
            "start the bridge: lora-bridge run; or see in its log whether it is ready for events",
        )
    return f"published on {topic}"
