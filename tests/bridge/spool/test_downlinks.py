"""Downlinks and claims are in the spool's file: open ones, ended ones for a while, and salvaged."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from bridge.messages.downlink import Downlink
from bridge.messages.message import Message
from bridge.messages.timestamper import Placement
from bridge.spool import downlinks
from bridge.spool.batch import Batch
from bridge.spool.spool import Spool
from bridge.spool.waiting import Waiting
from contract.downlinks import Request, State

PAGE = 4096


def downlink(number: int) -> Downlink:
    """Return an accepted downlink."""
    request = Request(f"n{number}", 10, b"\x01\x0f" * 50)
    return Downlink.of(request, number, "a1/d1", expires=10**15, now=1)


def ended(number: int, when: int) -> Downlink:
    """Return one that has ended."""
    return downlink(number).become(State.FAILED, when)


def commit(spool: Spool, *several: Downlink) -> None:
    """Write downlinks."""
    spool.commit(Batch(downlinks={each.number: each for each in several}))


def test_open_downlinks_are_found_again(tmp_path: Path) -> None:
    """As they were last, in the order of acceptance; those that have ended are known by id."""
    with Spool(tmp_path / "spool.db") as spool:
        commit(spool, downlink(2), downlink(1), downlink(3))
        commit(spool, downlink(2).become(State.SUBMITTED, 5), ended(3, 5))
    with Spool(tmp_path / "spool.db") as spool:
        found = spool.look(downlinks.still_open)
        assert found == [downlink(1), downlink(2).become(State.SUBMITTED, 5)]
        assert spool.look(downlinks.last_number) == 3
        known = partial(downlinks.is_known, device="a1/d1")
        assert spool.look(partial(known, request_id="n3"))
        assert not spool.look(partial(known, request_id="n4"))
        other = partial(downlinks.is_known, device="a1/d2", request_id="n3")
        assert not spool.look(other)


def test_ended_downlinks_are_forgotten_in_time(tmp_path: Path) -> None:
    """The old ones, and the oldest of too many; open ones never."""
    with Spool(tmp_path / "spool.db") as spool:
        commit(spool, downlink(1), *(ended(number, number) for number in range(2, 10)))
        forget = partial(downlinks.forget, before=5, at_most=3)
        assert spool.on_file(forget) == 2
        rows = spool.look(lambda file: file.execute("SELECT number FROM downlinks").fetchall())
    assert [number for (number,) in rows] == [1, 7, 8, 9]


def test_claims_are_remembered_once(tmp_path: Path) -> None:
    """Each application of each source."""
    for _ in range(2):
        with Spool(tmp_path / "spool.db") as spool:
            spool.commit(Batch(claims=[("semtech", "a1"), ("other", "a1"), ("semtech", "a1")]))
            assert spool.look(downlinks.claims) == [("semtech", "a1"), ("other", "a1")]


def test_a_file_of_before_gets_the_tables(tmp_path: Path) -> None:
    """A spool that an earlier version made goes on, with downlinks."""
    path = tmp_path / "spool.db"
    with Spool(path):
        pass
    with closing(sqlite3.connect(path)) as file:
        file.executescript("DROP TABLE downlinks; DROP TABLE claims;")
    with Spool(path) as spool:
        commit(spool, downlink(1))
        assert spool.look(downlinks.still_open) == [downlink(1)]


def test_a_damaged_spool_keeps_what_can_be_read_of_downlinks(tmp_path: Path) -> None:
    """And tells that it was mended, also if a crash came between."""
    path = tmp_path / "spool.db"
    messages = [Waiting.of(n, Message("lora/a1/d1", b"x" * 300)) for n in range(1, 1000)]
    with Spool(path) as spool:
        assert spool.mendings == 0
        spool.commit(
            Batch(
                messages,
                [Placement("a1/d1", 1, 1, b"")],
                downlinks={number: downlink(number) for number in range(1, 200)},
                claims=[("semtech", "a1")],
            )
        )
    with path.open("r+b") as file:
        file.seek(60 * PAGE)
        file.write(b"\xff" * PAGE)
    with Spool(path) as spool:
        spool.count_waiting()
        spool.placements()
        found = {each.number for each in spool.look(downlinks.still_open)}
        assert spool.mendings == 1
        assert len(found) > 150
        assert spool.look(downlinks.claims) == [("semtech", "a1")]
