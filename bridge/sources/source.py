"""What every source of frames is, whichever network server it speaks to."""

from collections.abc import Callable, Container
from typing import Protocol

from bridge.messages.downlink import Downlink
from bridge.messages.event import Notice
from bridge.messages.uplink import Uplink

Parse = Callable[[bytes], Uplink | Notice | None]
"""Parses a frame as its network server writes it; None for a kind that is not forwarded.

It raises FrameRejectedError, with the reason, for a frame that cannot become an uplink.
"""


class Source(Protocol):
    """Brings frames to the forwarder, from ``start`` to ``stop``.

    A source whose network server waits for acknowledgements gives the forwarder a receipt with
    each frame, and acknowledges when that is called.
    """

    async def start(self) -> None:
        """Begin to bring frames.

        Raises:
            BridgeError: it cannot, and waiting would not help.

        """

    async def stop(self) -> None:
        """Bring what has arrived, and then nothing more."""

    def pause(self) -> None:
        """Bring nothing until ``resume``; the network server has to wait."""

    def resume(self) -> None:
        """Go on."""

    @property
    def connections(self) -> int:
        """How many connections to network servers are open."""

    def unready(self) -> list[str]:
        """Return why nothing can come from it, each in a few words; nothing if it can."""


class NotTakenError(Exception):
    """A network server will not take a downlink, and why; to try again would not help."""


class Sender(Protocol):
    """A source whose network server takes downlinks.

    It tells what became of them by answers, which it gives the forwarder.
    """

    @property
    def name(self) -> str:
        """The kind of network server, as events name it."""

    @property
    def names_acknowledged(self) -> bool:
        """Whether its answers say which downlink a device has acknowledged."""

    def has(self, device: str) -> bool:
        """Say whether the configuration makes ``APPEUI/MOTEEUI`` a device of this source."""

    def ready(self, application: str) -> bool:
        """Say whether a downlink to an application can be handed over now."""

    def reference(self, taken: Container[str]) -> str | None:
        """Return what the network server is to call the next downlink: none of ``taken``.

        None where there is nothing left to call it.
        """

    async def hand_over(self, downlink: Downlink) -> bool:
        """Give a downlink to the network server; return whether it was given.

        If it was not, it is certain that the network server does not have it.

        Raises:
            NotTakenError: the network server does not take it.

        """

    async def is_queued(self, downlink: Downlink) -> bool | None:
        """Say whether the network server still has a downlink that it was given.

        None where it cannot be asked.
        """
