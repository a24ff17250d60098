"""Answers the downlinks by which ``lora-bridge check`` tries the way from AWS IoT and back."""

import asyncio
from collections.abc import Callable, Container
from itertools import count

from bridge.messages.downlink import Answer, Downlink
from contract.downlinks import State
from contract.eui import one_case
from contract.names import CHECK_APPLICATION


class CheckSender:
    """The ``Sender`` of one device that there is not: ``check/CLIENT_ID``, the bridge itself.

    What it is given goes nowhere, and was sent at once: ``answered`` is told so.
    """

    name = "check"
    names_acknowledged = True

    def __init__(self, client_id: str, answered: Callable[[Answer], None]) -> None:
        self._device = f"{CHECK_APPLICATION}/{one_case(client_id)}"
        self._answered = answered
        self._numbers = count(1)

    def has(self, device: str) -> bool:
        """Say whether a device is this bridge's own."""
        return device == self._device

    def ready(self, application: str) -> bool:
        """Say that it always is, for its own."""
        return application == CHECK_APPLICATION

    def reference(self, taken: Container[str]) -> str | None:
        """Return a name that no network server gives, and that is not taken."""
        names = (f"{self.name}-{number}" for number in self._numbers)
        return next(name for name in names if name not in taken)

    async def hand_over(self, downlink: Downlink) -> bool:
        """Answer when it has been noted that this was handed over."""
        answer = Answer(State.SENT, downlink.moteeui, downlink.reference)
        asyncio.get_running_loop().call_soon(self._answered, answer)
        return True

    async def is_queued(self, downlink: Downlink) -> None:
        """Say nothing: it is answered at once."""
