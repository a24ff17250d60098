"""Numbered frames, and what became of them."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

from contract.times import format_time

DEVICES = 20
APPLICATION = "37817737f13"


def frame(number: int, application: str = APPLICATION) -> bytes:
    """Return a frame of one of the DEVICES, with its NUL; its seqno is ``number``."""
    app = {
        "appeui": application,
        "moteeui": format(number % DEVICES, "x"),
        "dir": "up",
        "seqno": number,
        "userdata": {"port": 1, "payload": "Af4="},
        "motetx": {"freq": 868.1, "datr": "SF7BW125", "codr": "4/5", "adr": True},
        "gwrx": [
            {
                "eui": "b827ebfffe000001",
                "time": format_time(time.time_ns() // 1000),
                "rssi": -57,
                "lsnr": 9.2,
            }
        ],
    }
    return json.dumps({"app": app}).encode() + b"\0"


@dataclass(frozen=True)
class Delivered:
    """Which frames arrived: ``numbers`` without repetitions, and how many came out of order.

    Out of order is a frame whose device has had a newer one before, repetitions aside.
    """

    numbers: frozenset[int]
    total: int
    out_of_order: int


class Tally:
    """Sums up messages as they arrive; what it holds of a frame is one bit."""

    def __init__(self) -> None:
        self.total = self.out_of_order = self.distinct = 0
        self._seen = bytearray()
        self._newest: dict[str, int] = {}

    def add(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Take messages, topic and payload of each, in the order of their arrival."""
        for topic, payload in messages:
            self.total += 1
            self._note(topic, int(json.loads(payload)["seqno"]))

    def sum_up(self) -> Delivered:
        """Return what has arrived so far."""
        numbers = (n for n in range(8 * len(self._seen)) if self._has(n))
        return Delivered(frozenset(numbers), self.total, self.out_of_order)

    def _note(self, topic: str, number: int) -> None:
        missing = number // 8 + 1 - len(self._seen)
        self._seen += bytes(max(0, missing))
        if self._has(number):
            return
        self._seen[number // 8] |= 1 << number % 8
        self.distinct += 1
        newest = self._newest.get(topic, -1)
        self.out_of_order += number < newest
        self._newest[topic] = max(number, newest)

    def _has(self, number: int) -> bool:
        return bool(self._seen[number // 8] >> number % 8 & 1)


def delivered(messages: Iterable[tuple[str, bytes]]) -> Delivered:
    """Sum up messages, topic and payload of each, in the order of their arrival."""
    tally = Tally()
    tally.add(messages)
    return tally.sum_up()
