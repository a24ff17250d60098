"""Numbered requests for downlinks, and what became of each."""

import base64
import json
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from contract.downlinks import Request, State, build_request, is_end
from contract.names import device_of
from lab.soak.frames import APPLICATION, DEVICES

LASTS = 4.0  # seconds until a request expires
_PORT = 10
_NUMBER, _TIME = 4, 8  # bytes of a downlink's data: which it is, and when it expires


def device(number: int) -> str:
    """Return which device a request is for."""
    return f"{APPLICATION}/{number % DEVICES:x}"


def is_confirmed(number: int) -> bool:
    """Say whether a request is for a confirmed downlink: every second one of a device is."""
    return number // DEVICES % 2 == 1


def request(number: int, lasts: float = LASTS) -> bytes:
    """Return the payload of a request that expires in ``lasts`` seconds."""
    expires = time.time_ns() // 1000 + int(lasts * 1_000_000)
    data = number.to_bytes(_NUMBER, "big") + expires.to_bytes(_TIME, "big")
    confirmed = is_confirmed(number)
    return build_request(Request(str(number), _PORT, data, confirmed=confirmed, expires=expires))


def read(content: dict[str, object]) -> tuple[int, int]:
    """Return the number of a downlink that was written to the network server, and its expiry.

    That is in microseconds since 1970.
    """
    userdata = content["userdata"]
    assert isinstance(userdata, dict)  # noqa: S101  # the bridge's frame
    data = base64.b64decode(userdata["payload"])
    return int.from_bytes(data[:_NUMBER], "big"), int.from_bytes(data[_NUMBER:], "big")


@dataclass(frozen=True)
class Ends:
    """What became of the downlinks of a scenario.

    ``written`` are the different ones that a network server got, ``twice`` those that it got more
    than once, ``overdue`` those that it got after their expiry. ``endless`` were requested and came
    to no end, ``contradicted`` to more than one.
    """

    requested: int
    accepted: int
    written: int
    by_state: dict[State, int]
    twice: int
    overdue: int
    endless: int
    contradicted: int


class Fates:
    """Sums up the events of downlinks as they arrive; one that is repeated counts once."""

    def __init__(self) -> None:
        self._told = defaultdict[int, dict[tuple[State, str], None]](dict)

    def add(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Take messages, topic and payload of each; those that are no such events, too."""
        for topic, payload in messages:
            if topic.endswith("/event/downlink"):
                event = json.loads(payload)
                number = int(event["id"])
                assert device_of(topic) == device(number)  # noqa: S101
                if not event.get("late"):
                    self._told[number][State(event["state"]), event["timestamp"]] = None

    def ended(self, number: int) -> list[State]:
        """Return the ends of a downlink: there should be one."""
        confirmed = is_confirmed(number)
        told = self._told.get(number, {})
        return [state for state, _ in told if is_end(state, confirmed=confirmed)]

    def sum_up(
        self, requested: Iterable[int], written: Counter[int], overdue: Collection[int] = ()
    ) -> Ends:
        """Return what became of those that were requested."""
        ends = {number: self.ended(number) for number in requested}
        return Ends(
            requested=len(ends),
            accepted=len(self._told.keys() & ends.keys()),
            written=len(written),
            by_state=Counter(state for each in ends.values() for state in each),
            twice=sum(times > 1 for times in written.values()),
            overdue=len(overdue),
            endless=sum(not each for each in ends.values()),
            contradicted=sum(len(each) > 1 for each in ends.values()),
        )
