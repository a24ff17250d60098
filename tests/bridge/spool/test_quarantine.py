"""Rejected frames are kept, and a flood of them is felt by neither the disk nor the bridge."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.spool import rejected
from bridge.spool.quarantine import Quarantine
from bridge.spool.rejected import ListedFrame, Rejected
from bridge.spool.spool import Spool

_PLENTY = 4_194_304


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """Open a spool on disk."""
    with Spool(tmp_path / "spool.db") as spool:
        yield spool


def junk(number: int, reason: str = "not JSON", size: int = 1000) -> Rejected:
    """Return a rejected frame."""
    frame = (b"%d " % number).ljust(size, b"x")
    return Rejected(number, "127.0.0.1:6500", reason, whole=True, frame=frame)


def kept(spool: Spool) -> list[ListedFrame]:
    """Return what is on disk."""
    return spool.on_file(rejected.listed)


def quarantine(spool: Spool, max_bytes: int = _PLENTY, pace: float = 16_384) -> Quarantine:
    """Return a quarantine that writes when it is told to, or a second later."""
    return Quarantine(spool, max_bytes, write_after=1, pace=pace)


async def test_frames_are_written_by_themselves(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came in a moment is written together, a moment later."""
    writes: list[int] = []
    on_file = spool.on_file

    def counted(work: Callable[[sqlite3.Connection], object]) -> object:
        writes.append(1)
        return on_file(work)

    place = Quarantine(spool, _PLENTY, write_after=0.1)
    for number in range(3):
        place.keep(junk(number))
    assert kept(spool) == []
    with monkeypatch.context() as patch:
        patch.setattr(spool, "on_file", counted)
        async with asyncio.timeout(10):
            while not writes:
                await asyncio.sleep(0.01)
    assert len(writes) == 2  # and the oldest dropped, this first time
    assert [each.frame[:2] for each in kept(spool)] == ["0 ", "1 ", "2 "]


async def test_a_flood_is_written_in_part(spool: Spool) -> None:
    """A million bytes of a reason are kept at once, whatever comes, and all of another reason."""
    place = quarantine(spool)
    for number in range(50_000):
        place.keep(junk(number))
    place.keep(junk(1, "bad EUI"))
    place.flush()
    counts = Counter(each.reason for each in kept(spool))
    assert 0.9 < counts["not JSON"] * 1200 / (64 * 16_384) < 1.1
    assert counts["bad EUI"] == 1


async def test_a_frame_of_any_size_is_kept_and_paid_for(spool: Spool) -> None:
    """The largest frame is kept, and then nothing for as long as it takes at that pace."""
    place = quarantine(spool, 10**9)
    for number in range(100):
        place.keep(junk(number, size=1_048_576))
    place.flush()
    assert len(kept(spool)) == 1


async def test_the_oldest_go_when_there_are_too_many(spool: Spool) -> None:
    """Of a reason little more than `max_bytes` is there, the newest."""
    place = quarantine(spool, 100_000, pace=10**9)
    for number in range(1000):
        place.keep(junk(number))
        if number % 7 == 0:
            place.flush()
            assert sum(each.bytes for each in kept(spool)) <= 121_000
    place.flush()
    found = [int(each.frame.split()[0]) for each in kept(spool)]
    assert found[-1] == 999
    assert found == [*range(found[0], 1000)]
    assert len(found) >= 80


async def test_what_earlier_runs_kept_counts(spool: Spool) -> None:
    """A smaller setting holds from the first frame on."""
    place = quarantine(spool)
    for number in range(100):
        place.keep(junk(number))
    place.flush()
    place = quarantine(spool, 12_000)
    place.keep(junk(100))
    place.flush()
    assert len(kept(spool)) == 10


async def test_none_are_kept_at_0(spool: Spool) -> None:
    """A setting of 0 keeps nothing."""
    place = quarantine(spool, 0)
    place.keep(junk(1))
    place.flush()
    assert kept(spool) == []


async def test_a_failing_disk_costs_rejected_frames_only(
    spool: Spool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written is given up, and said once; later frames are kept."""

    def failing(_work: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    place = quarantine(spool)
    with monkeypatch.context() as patch:
        patch.setattr(spool, "on_file", failing)
        for number in range(2):
            place.keep(junk(number))
            place.flush()
    place.keep(junk(2))
    place.flush()
    assert caplog.messages == ["rejected frames are not kept: disk I/O error"]
    assert [each.frame[0] for each in kept(spool)] == ["2"]


async def test_an_almost_full_disk_is_left_to_uplinks(
    spool: Spool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where little room is left, rejected frames take none of it."""
    monkeypatch.setattr(spool, "room", lambda: 60_000_000)
    place = quarantine(spool)
    place.keep(junk(1))
    place.flush()
    assert caplog.messages == ["rejected frames are not kept: the disk is almost full"]
    assert kept(spool) == []
