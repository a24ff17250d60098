"""The downlinks that have ended lately, which an answer may still be about. Does no I/O."""

from collections import OrderedDict
from collections.abc import Container

from bridge.messages.downlink import Answer, Downlink
from contract.downlinks import State

REMEMBERED = 10_000


class Ended:
    """The newest of them, by what their network servers called them.

    Where a confirmed one ended as unknown, its device may acknowledge it all the same. For
    ``answers_within`` microseconds it is not to have another one: the answer may not say which.
    """

    def __init__(self, answers_within: int) -> None:
        self._answers_within = answers_within
        self._by_reference = OrderedDict[str, Downlink]()
        self._confirmed: dict[str, str] = {}  # by EUI, the reference of the device's last one
        self._doubted = OrderedDict[str, int]()  # by EUI, until when

    @property
    def references(self) -> Container[str]:
        """What network servers called them."""
        return self._by_reference

    def add(self, downlink: Downlink) -> None:
        """Remember a downlink, or what is told of it late."""
        self._doubt(downlink)
        if downlink.reference is None:
            return
        self._forget(downlink.reference)  # of another, long ago
        self._by_reference[downlink.reference] = downlink
        if downlink.confirmed:
            self._confirmed[downlink.moteeui] = downlink.reference
        if len(self._by_reference) > REMEMBERED:
            self._forget(next(iter(self._by_reference)))

    def meant(self, answer: Answer) -> Downlink | None:
        """Return the downlink that an answer is about, None if none is known.

        Without a reference it is about the device's last confirmed one.
        """
        reference = answer.reference or self._confirmed.get(answer.moteeui)
        return None if reference is None else self._by_reference.get(reference)

    def in_doubt(self, moteeui: str, now: int) -> bool:
        """Say whether a device may still acknowledge one that has ended."""
        return now < self._doubted.get(moteeui, now)

    def _doubt(self, downlink: Downlink) -> None:
        if downlink.state in {State.ACKNOWLEDGED, State.NOT_ACKNOWLEDGED}:
            self._doubted.pop(downlink.moteeui, None)
        elif downlink.confirmed and downlink.state is State.UNKNOWN:
            self._doubted.pop(downlink.moteeui, None)
            self._doubted[downlink.moteeui] = downlink.changed + self._answers_within
            if len(self._doubted) > REMEMBERED:
                self._doubted.popitem(last=False)

    def _forget(self, reference: str) -> None:
        before = self._by_reference.pop(reference, None)
        if before is not None and self._confirmed.get(before.moteeui) == reference:
            del self._confirmed[before.moteeui]
