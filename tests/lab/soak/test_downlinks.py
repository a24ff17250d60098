"""Whatever breaks, a downlink is written once at most and comes to one end, and uplinks go on."""

import base64
import json
import os
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from contract.downlinks import State, parse_request
from lab.soak.fates import Fates, device, request
from lab.soak.frames import DEVICES
from lab.soak.result import Result
from lab.soak.scenarios.down_broker import down_pair, down_repeats
from lab.soak.scenarios.down_disk import down_clock_back, down_damaged, down_disk_full
from lab.soak.scenarios.down_kills import down_kills
from lab.soak.scenarios.down_outages import down_outages, down_server
from lab.soak.two_way import TwoWay

Scenario = Callable[[Path, Callable[[str], None]], Result]

SCENARIOS: dict[str, Scenario] = {
    "kills": partial(down_kills, count=13),
    "outages": partial(down_outages, count=3),
    "server": partial(down_server, count=3),
    "repeats": partial(down_repeats, seconds=4),
    "pair": partial(down_pair, count=4),
    "clock-back": down_clock_back,
    "damaged": down_damaged,
}


@pytest.mark.broker
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(tmp_path: Path, name: str) -> None:
    """Each keeps its promises."""
    done = SCENARIOS[name](tmp_path, print)
    assert done.problems == (), done
    assert done.downlinks
    assert done.downlinks.written > 30


@pytest.mark.broker
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_disk_full(tmp_path: Path) -> None:
    """On a full disk requests wait, and none is written twice or forgotten."""
    done = down_disk_full(tmp_path, print, count=1)
    assert done.problems == (), done


def event(number: int, state: str, time: str, *, late: bool = False) -> tuple[str, bytes]:
    """Return an event of a downlink."""
    text = f'{{"id":"{number}","state":"{state}","timestamp":"{time}","late":{str(late).lower()}}}'
    return f"lora/{device(number)}/event/downlink", text.encode()


def test_fates_are_counted() -> None:
    """Repeated events count once, late ones not at all; a confirmed downlink does not end sent."""
    fates = Fates()
    fates.add([event(1, "accepted", "1"), event(1, "sent", "2"), event(1, "sent", "2")])
    fates.add([event(DEVICES, "accepted", "1"), event(DEVICES, "sent", "2")])
    fates.add([event(3, "unknown", "3"), event(3, "sent", "4", late=True)])
    fates.add([event(4, "sent", "4"), event(4, "unknown", "5"), ("lora/a/d", b"{}")])
    ends = fates.sum_up([1, 3, 4, 5, DEVICES], Counter({1: 1, 4: 2}), {4})
    assert (ends.requested, ends.accepted, ends.written) == (5, 4, 2)
    assert (ends.twice, ends.overdue, ends.endless, ends.contradicted) == (1, 1, 2, 1)
    assert ends.by_state == {State.SENT: 2, State.UNKNOWN: 2}


def test_a_network_server_knows_what_comes_after_its_expiry() -> None:
    """By what it is given; with half a second for the reading."""
    server = TwoWay(0, 1, lambda _number: b"", answered=0.0)
    for number, lasts in enumerate((3600.0, -0.1, -60.0)):
        asked = parse_request(request(number, lasts))
        payload = base64.b64encode(asked.data).decode()
        content = {"app": {"token": 1, "userdata": {"port": 10, "payload": payload}}}
        server.take(json.dumps(content).encode() + b"\0")
    assert server.overdue == {2}
    assert server.written == Counter([0, 1, 2])
