"""Numbered frames, and what became of them."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

from bridge.timestamps import format_time

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


def delivered(messages: Iterable[tuple[str, bytes]]) -> Delivered:
    """Sum up messages, topic and payload of each, in the order of their arrival."""
    newest: dict[str, int] = {}
    seen: set[int] = set()
    total = out_of_order = 0
    for topic, payload in messages:
        number = int(json.loads(payload)["seqno"])
        total += 1
        if number not in seen:
            out_of_order += number < newest.get(topic, -1)
            newest[topic] = max(number, newest.get(topic, -1))
            seen.add(number)
    return Delivered(frozenset(seen), total, out_of_order)
