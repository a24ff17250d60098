"""Rejected frames are kept, and a flood of them is felt by neither the disk nor the bridge."""

import asyncio
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.spool import quarantine, rejected
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
    return spool.on_rejected(rejected.listed)


def play(
    spool: Spool,
    max_bytes: int,
    scenario: Callable[[Quarantine], None],
    pace: float = 16_384,
) -> None:
    """Let a scenario reject frames, and write what is pending."""

    async def run() -> None:
        place = Quarantine(spool, max_bytes, write_after=1, pace=pace)
        scenario(place)
        place.flush()

    asyncio.run(run())


def test_frames_are_written_by_themselves(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came in a moment is written together, a moment later."""
    writes: list[int] = []
    on_rejected = spool.on_rejected

    def counted(work: Callable[[sqlite3.Connection], object]) -> object:
        writes.append(1)
        return on_rejected(work)

    async def scenario() -> None:
        place = Quarantine(spool, _PLENTY, write_after=0.1)
        for number in range(3):
            place.keep(junk(number))
        assert kept(spool) == []
        with monkeypatch.context() as patch:
            patch.setattr(spool, "on_rejected", counted)
            async with asyncio.timeout(10):
                while not writes:
                    await asyncio.sleep(0.01)
        assert len(writes) == 2  # and the oldest dropped, this first time
        assert [each.frame[:2] for each in kept(spool)] == ["0 ", "1 ", "2 "]

    asyncio.run(scenario())


def test_a_flood_is_written_in_part(spool: Spool) -> None:
    """A million bytes of a reason are kept at once, whatever comes, and all of another reason."""

    def scenario(place: Quarantine) -> None:
        for number in range(50_000):
            place.keep(junk(number))
        place.keep(junk(1, "bad EUI"))

    play(spool, _PLENTY, scenario)
    counts = Counter(each.reason for each in kept(spool))
    assert 0.9 < counts["not JSON"] * 1200 / (64 * 16_384) < 1.1
    assert counts["bad EUI"] == 1


def test_a_frame_of_any_size_is_kept_and_paid_for(spool: Spool) -> None:
    """The largest frame is kept, and then nothing for as long as it takes at that pace."""

    def scenario(place: Quarantine) -> None:
        for number in range(100):
            place.keep(junk(number, size=1_048_576))

    play(spool, 10**9, scenario)
    assert len(kept(spool)) == 1


def test_the_oldest_go_when_there_are_too_many(spool: Spool) -> None:
    """Of a reason little more than `max_bytes` is there, the newest."""

    def scenario(place: Quarantine) -> None:
        for number in range(1000):
            place.keep(junk(number))
            if number % 7 == 0:
                place.flush()
                assert sum(each.bytes for each in kept(spool)) <= 121_000

    play(spool, 100_000, scenario, pace=10**9)
    found = [int(each.frame.split()[0]) for each in kept(spool)]
    assert found[-1] == 999
    assert found == [*range(found[0], 1000)]
    assert len(found) >= 80


def test_what_earlier_runs_kept_counts(spool: Spool) -> None:
    """A smaller setting holds from the first frame on."""

    def scenario(place: Quarantine) -> None:
        for number in range(100):
            place.keep(junk(number))

    play(spool, _PLENTY, scenario)
    play(spool, 12_000, lambda place: place.keep(junk(100)))
    assert len(kept(spool)) == 10


def test_none_are_kept_at_0(spool: Spool) -> None:
    """A setting of 0 keeps nothing."""
    play(spool, 0, lambda place: place.keep(junk(1)))
    assert kept(spool) == []


def test_a_failing_disk_costs_rejected_frames_only(
    spool: Spool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written is given up, and said once; later frames are kept."""

    def failing(_work: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    def scenario(place: Quarantine) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(spool, "on_rejected", failing)
            for number in range(2):
                place.keep(junk(number))
                place.flush()
        place.keep(junk(2))

    play(spool, _PLENTY, scenario)
    assert caplog.messages == ["rejected frames are not kept: disk I/O error"]
    assert [each.frame[0] for each in kept(spool)] == ["2"]


def test_an_almost_full_disk_is_left_to_uplinks(
    spool: Spool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where little room is left, rejected frames take none of it."""
    monkeypatch.setattr(quarantine, "_ROOM", os.statvfs(".").f_blocks * 1_048_576)
    play(spool, _PLENTY, lambda place: place.keep(junk(1)))
    assert caplog.messages == ["rejected frames are not kept: the disk is almost full"]
    assert kept(spool) == []
