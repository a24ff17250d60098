"""The links of a ChirpStack server, from its broker to its events."""

import time
from collections.abc import Generator
from contextlib import closing

from bridge.config import ChirpStack, Config
from bridge.messages.rejection import FrameRejectedError, remedy
from bridge.sources.chirpstack.parsing import Parser
from bridge.sources.chirpstack.server import client_ids
from bridge.sources.chirpstack.topics import command_topic
from console.check import broker
from console.check.chain import QUIET, BrokenError, Link, NotTriedError
from console.check.downlink_trip import NO_DOWNLINKS
from console.check.session import Session

_PATIENCE = 5.0  # seconds for an event
_NO_APPLICATION, _NO_DEVICE = "00000000-0000-0000-0000-000000000000", "0000000000000000"
_NO_COMMAND = b"{}"
"""ChirpStack refuses it, for it names no device, and writes a line into its log."""
_NOBODY = (
    "start ChirpStack, with mqtt among enabled in its [integration]; let command_topic in the"
    " configuration be as in its [integration.mqtt]"
)


def links(config: Config, *, quiet: bool = False) -> Generator[Link, None, None]:
    """Yield the links of each server in the configuration; of several, each names its own.

    Where it is to be ``quiet``, nothing is published.
    """
    ids = client_ids(config.chirpstack, config.aws)
    for server, client_id in zip(config.chirpstack, ids, strict=True):
        which = f" {server.address}" if len(ids) > 1 else ""
        without = NO_DOWNLINKS if config.downlinks is None else QUIET if quiet else ""
        with closing(_of(server, client_id, without)) as found:
            for name, look in found:
                yield f"{name}{which}", look


def _of(server: ChirpStack, client_id: str, without: str) -> Generator[Link, None, None]:
    """Yield the links of a server; ``without`` is why commands are not tried, if they are not."""
    with closing(broker.session(server, client_id)) as session:
        yield "broker", lambda: broker.reach(server, client_id)
        yield "session", lambda: broker.keeps_sessions(server, client_id, session)
        yield "broker's losses", lambda: broker.tells(session)
        yield "commands", lambda: _commands(server, session, without)
        yield "events", lambda: _events(server, session)


def _commands(server: ChirpStack, session: Session, without: str) -> str:
    """Publish a command without effect.

    Raises:
        BrokenError: nobody has subscribed to commands, or the broker takes none.
        NotTriedError: there are to be none.

    """
    if without:
        raise NotTriedError(without)
    application_id = next(iter(server.applications), _NO_APPLICATION)
    topic = command_topic(server.command_topic, application_id, _NO_DEVICE, "down")
    if not session.is_heard(topic, _NO_COMMAND):
        raise BrokenError(f"nobody listens on {topic}", _NOBODY)
    return f"somebody listens on {topic}"


def _events(server: ChirpStack, session: Session) -> str:
    """Wait for an event, and look how it comes.

    Raises:
        BrokenError: the bridge would reject it, or might lose others.
        NotTriedError: none comes.

    """
    parser = Parser(server)
    session.subscribe(parser.filter)
    end = time.monotonic() + _PATIENCE
    while (left := end - time.monotonic()) > 0:
        delivery = session.received(left)
        # What is retained is old, and comes because of the subscription.
        if delivery is None or delivery.retained or delivery.topic.startswith("$SYS/"):
            continue
        try:
            read = parser.read(delivery.topic, delivery.payload)
        except FrameRejectedError as error:
            reason = f"{delivery.topic}: {error.reason}"
            raise BrokenError(reason, remedy(error.reason)) from None
        if delivery.acknowledge is None:
            raise BrokenError(
                "they come at QoS 0: some are lost whenever a connection is",
                "set qos = 1 in ChirpStack's [integration.mqtt], and restart it",
            )
        return f"one of {read.application}/{read.device} came at QoS 1"
    raise NotTriedError(
        f"none on {parser.filter} in {_PATIENCE:.0f} s: there may be none now, or the broker's ACL"
        " lets the bridge read none"
    )
