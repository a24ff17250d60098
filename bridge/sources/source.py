"""What every source of frames is, whichever network server it speaks to."""

from collections.abc import Callable
from typing import Protocol

from bridge.messages.uplink import Uplink

Parse = Callable[[bytes], Uplink | None]
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
