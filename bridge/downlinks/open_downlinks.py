"""Which downlinks are open, which may be handed over next, and when they end. Does no I/O.

Times are in microseconds since 1970.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

from bridge.downlinks.ended import Ended
from bridge.messages.downlink import Answer, Downlink
from contract.downlinks import State

NOT_IN_TIME = "not handed over in time"
_SURPLUS = 1_000  # deadlines that are over, before they are dropped


class OpenDownlinks:
    """The open downlinks, by device in the order of acceptance.

    With ``in_order`` a downlink is handed over when the one before it has left: it was sent, or has
    ended. At most one confirmed downlink of a device is under way, since the answer that it was
    acknowledged may not say which one was. ``answers_within`` is how long after its expiry a
    network server may still tell what became of one that it has.
    """

    def __init__(self, *, in_order: bool, answers_within: int) -> None:
        self._in_order = in_order
        self._answers_within = answers_within
        self._open: dict[int, Downlink] = {}
        self._by_id: dict[tuple[str, str], int] = {}
        self._by_reference: dict[str, int] = {}
        self._by_mote = defaultdict[str, dict[int, None]](dict)
        self._waiting = defaultdict[str, dict[str, int]](dict)
        """By application: how many downlinks of which device are accepted and no more."""
        self._deadlines: list[tuple[int, int]] = []
        self._submitted: dict[int, None] = {}  # which ``take_submitted`` has not returned
        self._ended = Ended(answers_within)

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Downlink]:
        return iter(self._open.values())

    def has(self, device: str, request_id: str) -> bool:
        """Say whether a downlink with this id is open for the device."""
        return (device, request_id) in self._by_id

    def is_current(self, downlink: Downlink) -> bool:
        """Say whether a downlink has not changed since."""
        return self._open.get(downlink.number) == downlink

    def of(self, moteeui: str) -> Iterator[Downlink]:
        """Return the downlinks of the device with this EUI, in the order of acceptance."""
        return (self._open[number] for number in sorted(self._by_mote.get(moteeui, ())))

    def take_submitted(self) -> list[Downlink]:
        """Return the downlinks that were submitted since this was last called, and still are."""
        taken = [self._open[number] for number in self._submitted]
        self._submitted.clear()
        return taken

    @property
    def references(self) -> Container[str]:
        """What network servers call the open downlinks, and those that have ended lately."""
        return _Either(self._by_reference, self._ended.references)

    def put(self, downlink: Downlink) -> None:
        """Note a downlink as it is now: a new one, or one in another state."""
        before = self._open.get(downlink.number)
        if before is not None:
            self._drop(before)
        if downlink.ended:
            self._ended.add(downlink)
            return
        self._open[downlink.number] = downlink
        self._by_id[downlink.device, downlink.id] = downlink.number
        self._by_mote[downlink.moteeui][downlink.number] = None
        if downlink.reference is not None:
            self._by_reference[downlink.reference] = downlink.number
        if downlink.state is State.SUBMITTED:
            self._submitted[downlink.number] = None
        if _waits(downlink):
            devices = self._waiting[downlink.application]
            devices[downlink.moteeui] = devices.get(downlink.moteeui, 0) + 1
        heappush(self._deadlines, (self._deadline(downlink), downlink.number))
        if len(self._deadlines) > 2 * len(self._open) + _SURPLUS:
            self._deadlines = sorted((self._deadline(each), each.number) for each in self)

    def put_late(self, told: Downlink) -> None:
        """Note what is told of a downlink that has ended: whatever it is, it is not open again."""
        self._ended.add(told)

    def applications(self) -> list[str]:
        """Return the applications for whose devices downlinks wait to be handed over."""
        return [application for application, devices in self._waiting.items() if devices]

    def motes(self, application: str) -> list[str]:
        """Return the EUIs of the devices of an application for which downlinks wait."""
        return list(self._waiting[application])

    def in_doubt(self, moteeui: str, now: int) -> bool:
        """Say whether a device may still acknowledge a downlink that has ended as unknown."""
        return self._ended.in_doubt(moteeui, now)

    def next(self, moteeui: str, *, doubtful: bool = False) -> Downlink | None:
        """Return the downlink that may be handed over now, None if none may.

        No confirmed one may where it is ``doubtful`` of which an acknowledgement would be.
        """
        confirmed_under_way = doubtful
        for downlink in self.of(moteeui):
            if not _waits(downlink):
                confirmed_under_way |= downlink.confirmed
                if self._in_order and downlink.state is not State.SENT:
                    return None
            elif not (downlink.confirmed and confirmed_under_way):
                return downlink
            elif self._in_order:
                return None
        return None

    def meant(self, answer: Answer) -> Downlink | None:
        """Return the open downlink that an answer is about, None where there is none.

        One without a reference, that a downlink was sent, is about the one that was submitted. That
        one was acknowledged is about the confirmed one of which it is known that it was sent: it
        may come late, and be about one that has ended.
        """
        if answer.reference is not None:
            number = self._by_reference.get(answer.reference)
            return None if number is None else self._open[number]
        for downlink in self.of(answer.moteeui):
            if answer.state is State.SENT:
                meant = downlink.state is State.SUBMITTED
            else:
                meant = downlink.state is State.SENT and downlink.confirmed
            if meant:
                return downlink
        return None

    def meant_late(self, answer: Answer) -> Downlink | None:
        """Return the downlink that has ended and that an answer is about, None if none is known."""
        return self._ended.meant(answer)

    def due(self, now: int) -> list[Downlink]:
        """Return the downlinks whose time is over, each in its final state."""
        over = set[int]()  # several states of one may have had a deadline
        while self._deadlines and self._deadlines[0][0] <= now:
            _, number = heappop(self._deadlines)
            downlink = self._open.get(number)
            if downlink and not downlink.handing and self._deadline(downlink) <= now:
                over.add(number)
        return [_ended(self._open[number], now) for number in sorted(over)]

    def _deadline(self, downlink: Downlink) -> int:
        if downlink.state is State.ACCEPTED:
            return downlink.expires
        return max(downlink.expires, downlink.changed) + self._answers_within

    def _drop(self, downlink: Downlink) -> None:
        del self._open[downlink.number]
        self._submitted.pop(downlink.number, None)
        del self._by_id[downlink.device, downlink.id]
        of_mote = self._by_mote[downlink.moteeui]
        del of_mote[downlink.number]
        if not of_mote:
            del self._by_mote[downlink.moteeui]
        if downlink.reference is not None:
            self._by_reference.pop(downlink.reference, None)
        if _waits(downlink):
            devices = self._waiting[downlink.application]
            devices[downlink.moteeui] -= 1
            if not devices[downlink.moteeui]:
                del devices[downlink.moteeui]


def restored(
    downlinks: Iterable[Downlink], now: int, *, damaged: bool
) -> tuple[list[Downlink], list[Downlink]]:
    """Return the downlinks that an earlier run left open: those that still are, and the others.

    The others may have been written to the network server or not, and end as unknown: each is
    written once at most. Of a spool that was ``damaged`` that is true of all that were waiting.
    """
    still, ended = [], []
    for each in downlinks:
        if each.handing:
            ended.append(each.become(State.UNKNOWN, now, "the bridge ended as it handed it over"))
        elif damaged and each.state is State.ACCEPTED:
            ended.append(each.become(State.UNKNOWN, now, "the spool was damaged"))
        else:
            still.append(each)
    return still, ended


def _ended(downlink: Downlink, now: int) -> Downlink:
    if downlink.state is State.ACCEPTED:
        return downlink.become(State.EXPIRED, now, NOT_IN_TIME)
    reason = "the network server did not say in time what became of it"
    return downlink.become(State.UNKNOWN, now, reason)


def _waits(downlink: Downlink) -> bool:
    return downlink.state is State.ACCEPTED and not downlink.handing


@dataclass(frozen=True)
class _Either(Container[str]):
    """What is in the one or in the other."""

    one: Container[str]
    other: Container[str]

    def __contains__(self, name: object) -> bool:
        return name in self.one or name in self.other
