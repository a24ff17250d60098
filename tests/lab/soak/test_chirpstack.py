"""Whatever breaks, what ChirpStack's broker has accepted comes to one row each."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from lab.soak.chirp_site import Rows
from lab.soak.result import Result
from lab.soak.scenarios.chirp_away import (
    chirp_away,
    chirp_backlog,
    chirp_dropped,
    chirp_spool_full,
)
from lab.soak.scenarios.chirp_disk import chirp_clock_back, chirp_disk_full
from lab.soak.scenarios.chirp_kills import chirp_both, chirp_broker, chirp_kills

Scenario = Callable[[Path, Callable[[str], None]], Result]

SCENARIOS: dict[str, Scenario] = {
    "kills": partial(chirp_kills, count=3),
    "broker": partial(chirp_broker, count=2),
    "both": partial(chirp_both, count=2),
    "away": partial(chirp_away, seconds=1),
    "spool-full": partial(chirp_spool_full, seconds=1),
    "backlog": partial(chirp_backlog, count=5_000),
    "clock-back": chirp_clock_back,
}


@pytest.mark.broker
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(tmp_path: Path, name: str) -> None:
    """Each keeps its promises."""
    done = SCENARIOS[name](tmp_path, print)
    assert done.problems == (), done
    assert done.sent > 200
    assert done.twice == 0


@pytest.mark.broker
def test_dropped(tmp_path: Path) -> None:
    """What the broker has dropped is told by the bridge, with the right number."""
    done = chirp_dropped(tmp_path, print)
    assert done.problems == (), done
    assert done.lost > 0


@pytest.mark.broker
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_disk_full(tmp_path: Path) -> None:
    """On a full disk events wait at the broker, and none is lost or stored twice."""
    done = chirp_disk_full(tmp_path, print)
    assert done.problems == (), done


def test_rows_are_counted() -> None:
    """A row is overwritten by a later message of its device and time, and counts as its own."""

    def message(number: int, timestamp: str) -> tuple[str, bytes]:
        return "lora/a/d", f'{{"seqno":{number},"timestamp":"{timestamp}"}}'.encode()

    rows = Rows()
    rows.add([message(1, "t1"), message(2, "t2"), message(3, "t2"), message(1, "t3")])
    assert rows.count == 3
    assert rows.by_number() == {1: 2, 3: 1}
    assert rows.sum_up().numbers == {1, 2, 3}
