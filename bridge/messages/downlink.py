"""A downlink on its way, and what a network server tells of it. Does no I/O."""

from typing import Self

import msgspec

from contract.downlinks import Request, State, is_end


class Downlink(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is to be sent to ``device`` (``APPEUI/MOTEEUI``), and how far it has come.

    ``number`` is its place in the order of acceptance, ``id`` the sender's name for it. Times are
    in microseconds since 1970: ``expires``, and ``changed``, when its state began. ``reference`` is
    what its network server calls it. ``attempt`` counts how often it was to be handed to that
    server. While it is ``handing``, it may have been written to the server or not.
    """

    number: int
    device: str
    id: str
    port: int
    data: bytes
    confirmed: bool
    immediate: bool
    expires: int
    state: State
    changed: int
    reason: str = ""
    attempt: int = 0
    reference: str | None = None
    handing: bool = False

    @classmethod
    def of(cls, request: Request, number: int, device: str, *, expires: int, now: int) -> Self:
        """Return the downlink that a request asks for, accepted ``now``."""
        return cls(
            *(number, device, request.id, request.port, request.data),
            *(request.confirmed, request.immediate, expires, State.ACCEPTED, now),
        )

    @property
    def application(self) -> str:
        """The application of its device."""
        return self.device.partition("/")[0]

    @property
    def moteeui(self) -> str:
        """The device's own EUI."""
        return self.device.partition("/")[2]

    @property
    def ended(self) -> bool:
        """Whether it is in its final state."""
        return is_end(self.state, confirmed=self.confirmed)

    def become(self, state: State, now: int, reason: str = "") -> Self:
        """Return it in another state."""
        return msgspec.structs.replace(self, state=state, changed=now, reason=reason, handing=False)


class Answer(msgspec.Struct, frozen=True):
    """What a network server tells of a downlink.

    ``reference`` says of which. Where it is None, it is that of the device with this EUI which
    waits for such an answer.
    """

    state: State
    moteeui: str
    reference: str | None = None
    reason: str = ""
