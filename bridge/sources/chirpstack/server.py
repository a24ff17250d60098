"""A ChirpStack server: its events, and the commands that it is given."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from uuid import uuid4

from bridge.config import Aws, ChirpStack, ChirpStackApi
from bridge.messages.event import Notice
from bridge.messages.uplink import Uplink
from bridge.sources.chirpstack.commands import CommandConnection
from bridge.sources.chirpstack.events import Events
from bridge.sources.chirpstack.notices import NAME_OF_SOURCE
from bridge.sources.chirpstack.parsing import Parser
from bridge.sources.chirpstack.sending import ChirpStackSender, Queue
from bridge.sources.forwarder import Forwarder
from bridge.sources.gaps import Gaps
from bridge.sources.source import Parse
from contract.errors import BridgeError


class ChirpStackServer:
    """A ``Source``, whose ``sender`` gives it downlinks.

    ``claims`` are pairs of applications, ours and ChirpStack's, which an earlier run has had from
    here; new ones are told to ``claim``. ``client_id`` is the bridge's at the broker. Without
    ``downlinks`` it is given none.

    Raises:
        BridgeError: the password, certificate, key, CA or token cannot be used, or the libraries
            that the API needs are not installed.

    """

    def __init__(  # noqa: PLR0913  # it joins what others make
        self,
        settings: ChirpStack,
        client_id: str,
        forwarder: Forwarder,
        gaps: Gaps,
        claims: Sequence[tuple[str, str]],
        claim: Callable[[str, str], None],
        *,
        others: bool,
        downlinks: bool,
    ) -> None:
        parser = Parser(settings, others=others)
        self._commands = CommandConnection(settings, f"{client_id}.commands")
        self._downlinks = downlinks
        self._paused = False
        self._queue = _queue(settings.api, self._hearing) if settings.api and downlinks else None
        self.sender = ChirpStackSender(
            *(settings, self._commands, claims, claim),
            new_id=lambda: str(uuid4()),
            now=time.monotonic,
            queue=self._queue,
        )
        self._events = Events(
            *(settings, client_id, parser, forwarder, self.sender, gaps), known=bool(claims)
        )

    async def start(self) -> None:
        """Connect, and reconnect for ever."""
        await self._events.start()
        if self._downlinks:
            self._commands.start()

    async def stop(self) -> None:
        """Take nothing more, and part from the broker."""
        self._commands.stop()
        await self._events.stop()
        if self._queue is not None:
            await self._queue.stop()

    def pause(self) -> None:
        """Bring nothing until ``resume``; the broker has to wait."""
        self._paused = True
        self._events.pause()

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        self._events.resume()

    @property
    def connections(self) -> int:
        """How many connections bring events: one or none."""
        return self._events.connections

    def unready(self) -> list[str]:
        """Return why no events can come, if they cannot."""
        return self._events.unready()

    def _hearing(self) -> bool:
        """Say whether all events come."""
        return not (self._paused or self._events.unready() or self._events.at_qos_0)


def _queue(settings: ChirpStackApi, hearing: Callable[[], bool]) -> Queue:
    # It would write lines of its own among those of the log.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Only here: a bridge without [chirpstack.api] does not load the libraries.
    try:
        from bridge.sources.chirpstack.queue import ApiQueue  # noqa: PLC0415
    except ImportError as error:
        raise BridgeError(
            f"chirpstack.api in bridge.toml: {error}: run pip install '.[chirpstack]'"
        ) from None
    return ApiQueue(settings, hearing)


def client_ids(servers: Iterable[ChirpStack], aws: Aws) -> list[str]:
    """Return the client ID of a bridge at each server's broker.

    It stays the same, so that the broker knows whom it keeps events for.
    """
    seen = Counter[str]()
    found = []
    for each in servers:
        seen[each.address] += 1
        number = f".{seen[each.address]}" if seen[each.address] > 1 else ""
        found.append(f"lora-bridge.{aws.client_id}{number}")
    return found


def claimed_as(server: ChirpStack) -> str:
    """Return how the names begin under which applications of a server are claimed."""
    return f"{NAME_OF_SOURCE} {server.address} "


def parser_of(servers: Sequence[ChirpStack]) -> Callable[[str], Parse | None]:
    """Return a function from the origin of a frame to its parser, None where no server's it is."""
    parsers = [(each.address, Parser(each)) for each in servers]

    def find(origin: str) -> Parse | None:
        address, space, topic = origin.partition(" ")
        able = [parser for where, parser in parsers if space and where == address]
        fitting = [each for each in able if each.takes(topic)] or able
        return partial(_parse, fitting[0], topic) if fitting else None

    return find


def _parse(parser: Parser, topic: str, frame: bytes) -> Uplink | Notice | None:
    return parser.read(topic, frame).content
