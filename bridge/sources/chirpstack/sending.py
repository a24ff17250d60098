"""Gives downlinks to ChirpStack, as commands on its topics."""

import base64
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Container, Iterable
from enum import Enum, auto
from typing import Protocol

import msgspec

from bridge.config import ChirpStack
from bridge.log_limit import LimitedLogger
from bridge.messages.downlink import Downlink
from bridge.sources.chirpstack.notices import NAME_OF_SOURCE
from bridge.sources.chirpstack.topics import command_topic
from contract.eui import one_case
from contract.times import format_time

_log = logging.getLogger(__name__)
_AGAIN_AFTER = 5.0  # seconds, after ChirpStack did not listen or the broker refused
_DEVICES = 20_000  # whose ChirpStack application is remembered


class Published(Enum):
    """What became of a command at the broker."""

    TAKEN = auto()  # or perhaps taken: whether ChirpStack has it, no PUBACK says
    NOBODY_LISTENS = auto()
    REFUSED = auto()
    NOT_PUBLISHED = auto()


class Commands(Protocol):
    """Publishes commands."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the broker."""

    def publish(self, topic: str, payload: bytes) -> Awaitable[Published]:
        """Publish a command once."""


class Queue(Protocol):
    """ChirpStack's queue of downlinks, which its API shows."""

    def has(self, dev_eui: str, item: str) -> Awaitable[bool | None]:
        """Say whether an item is in a device's queue; None where nobody can tell."""

    async def stop(self) -> None:
        """Ask nothing more; who is asking is cancelled."""


class ChirpStackSender:
    """The ``Sender`` of a server.

    It learns from events which of ChirpStack's applications a device is in, and has the
    applications of ``claims``, pairs of ours and ChirpStack's, from earlier runs. New pairs are
    told to ``claim``. ``new_id`` makes the UUIDs by which ChirpStack is to know downlinks, and
    ``now`` tells seconds of a clock that never goes back.
    """

    name = NAME_OF_SOURCE
    names_acknowledged = True

    def __init__(  # noqa: PLR0913  # what a downlink needs comes from many sides
        self,
        settings: ChirpStack,
        commands: Commands,
        claims: Iterable[tuple[str, str]],
        claim: Callable[[str, str], None],
        *,
        new_id: Callable[[], str],
        now: Callable[[], float],
        queue: Queue | None = None,
    ) -> None:
        self._template = settings.command_topic
        self._commands = commands
        self._claim = claim
        self._new_id = new_id
        self._now = now
        self._queue = queue
        self._application_ids: dict[str, set[str]] = {}  # by our application
        self._of_devices = OrderedDict[str, str]()  # ChirpStack's application ids
        self._rest_until: dict[str, float] = {}  # by our application
        self._limited = LimitedLogger(_log, now=now)
        for application_id, application in settings.applications.items():
            self._add(one_case(application), application_id)
        for application, application_id in claims:
            self._add(application, application_id)

    def note(self, application: str, device: str, application_id: str) -> None:
        """Note where a device is that an event has come from."""
        if self._add(application, application_id):
            self._claim(application, application_id)
        self._of_devices[f"{application}/{device}"] = application_id
        if len(self._of_devices) > _DEVICES:
            self._of_devices.popitem(last=False)

    def has(self, device: str) -> bool:
        """Say whether a device's application is this server's."""
        return device.partition("/")[0] in self._application_ids

    def ready(self, application: str) -> bool:
        """Say whether a command can be published, and has not been in vain a moment ago."""
        rested = self._now() >= self._rest_until.get(application, 0.0)
        return application in self._application_ids and self._commands.connected and rested

    def reference(self, taken: Container[str]) -> str | None:
        """Return a new UUID."""
        new = self._new_id()
        return None if new in taken else new

    async def hand_over(self, downlink: Downlink) -> bool:
        """Publish a downlink as a command; return whether the broker may have it."""
        application_id = self._application_id(downlink)
        if application_id is None:
            self._rest("place", "it is not known in which of several applications %s is", downlink)
            return False
        topic = command_topic(self._template, application_id, downlink.moteeui, "down")
        match await self._commands.publish(topic, _command(downlink)):
            case Published.TAKEN:
                return True
            case Published.NOBODY_LISTENS:
                self._rest("listens", "ChirpStack does not listen for downlinks to %s", downlink)
            case Published.REFUSED:
                self._rest("refused", "the broker does not let downlinks to %s through", downlink)
            case Published.NOT_PUBLISHED:
                pass
        return False

    async def is_queued(self, downlink: Downlink) -> bool | None:
        """Say whether ChirpStack still has a downlink; None where nobody can tell."""
        if self._queue is None or downlink.reference is None:
            return None
        return await self._queue.has(downlink.moteeui, downlink.reference)

    def _application_id(self, downlink: Downlink) -> str | None:
        known = self._of_devices.get(downlink.device)
        if known is not None:
            return known
        several = self._application_ids.get(downlink.application, ())
        return next(iter(several)) if len(several) == 1 else None

    def _add(self, application: str, application_id: str) -> bool:
        """Note whose application it is; return whether that is new."""
        known = self._application_ids.setdefault(application, set())
        new = application_id not in known
        known.add(application_id)
        return new

    def _rest(self, kind: str, text: str, downlink: Downlink) -> None:
        self._rest_until[downlink.application] = self._now() + _AGAIN_AFTER
        self._limited.log(logging.WARNING, kind, f"{text}: trying again", downlink.device)


def _command(downlink: Downlink) -> bytes:
    """Return the JSON of a command (DownlinkCommand in ChirpStack's integration.proto)."""
    return msgspec.json.encode(
        {
            "id": downlink.reference,
            "devEui": downlink.moteeui,
            "confirmed": downlink.confirmed,
            "fPort": downlink.port,
            "data": base64.b64encode(downlink.data).decode(),
            "expiresAt": format_time(downlink.expires),
        }
    )
