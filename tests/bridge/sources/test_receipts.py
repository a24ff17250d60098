"""A frame is acknowledged when it is on disk or in the quarantine, and never before.

The source here acknowledges each frame by its receipt, as a network server's broker wants it.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from bridge.clock import Clock
from bridge.counts import Counts
from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.messages.timestamper import Timestamper
from bridge.messages.uplink import Uplink
from bridge.sources.forwarder import Forwarder
from bridge.spool import rejected
from bridge.spool.batch import Batch
from bridge.spool.quarantine import Quarantine
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Share, Waiting
from contract.deployment import UNNAMED

_PLENTY = 10**9  # bytes
_SOON = 0.05  # seconds


def parse(frame: bytes) -> Uplink | None:
    """Parse a frame of this source: an uplink's FCnt, or what is none."""
    if frame == b"status":
        return None
    if not frame.isdigit():
        raise FrameRejectedError(Reason.NOT_JSON)
    return Uplink("a", "d", 1, b"", int(frame), None, (), (int(frame),))


class AcknowledgingSource:
    """Brings frames with receipts, and notes what was on disk when each was acknowledged."""

    def __init__(
        self,
        spool: Spool,
        max_bytes: int = _PLENTY,
        max_rejected: int = _PLENTY,
        pace: float = _PLENTY,
    ) -> None:
        self._spool = spool
        self.spooler = Spooler(spool, max_bytes)
        self.quarantine = Quarantine(spool, max_rejected, write_after=_SOON, pace=pace)
        clock = Clock(wall=lambda: 0, monotonic=lambda: 0.0)
        self._forwarder = Forwarder(
            self.spooler.keep,
            self.quarantine.keep,
            lambda _answer, receipt=None: receipt and receipt(),
            Timestamper(),
            Counts(),
            clock,
            deployment=UNNAMED,
        )
        self.acknowledged: dict[bytes, bool] = {}
        self.paused = False
        self.spooler.connect(outlet=self, inlets=[self])

    def bring(self, *frames: bytes) -> None:
        """Hand frames to the forwarder."""
        for frame in frames:
            self._forwarder.accept(frame, "test", parse, partial(self._note, frame))

    async def until(self, *frames: bytes) -> None:
        """Wait until these frames, and no others, have been acknowledged."""
        async with asyncio.timeout(10):
            while set(self.acknowledged) != set(frames):
                await asyncio.sleep(0.01)

    def arrived(self, messages: list[Waiting]) -> None:
        """Publish nothing: all stays in the spool."""

    def pause(self) -> None:
        """Note it."""
        self.paused = True

    def resume(self) -> None:
        """Note it."""
        self.paused = False

    def _note(self, frame: bytes) -> None:
        assert frame not in self.acknowledged, "acknowledged twice"
        self.acknowledged[frame] = frame in on_disk(self._spool)


def on_disk(spool: Spool) -> set[bytes]:
    """Return the frames that survive a crash now: in the spool or in the quarantine."""
    waiting = spool.read(0, _PLENTY, Share(0, 1)).messages
    seqnos = {each.payload.partition(b'"seqno":')[2].rstrip(b"}") for each in waiting}
    return seqnos | {each.frame.encode() for each in spool.on_file(rejected.listed)}


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """Open a spool on disk."""
    with Spool(tmp_path / "spool.db") as spool:
        yield spool


@contextmanager
def failing(spool: Spool, method: str) -> Iterator[list[int]]:
    """Let the disk fail under a method of the spool; give a list with an item for each try."""
    tries: list[int] = []

    def fail(_work: object) -> None:
        tries.append(1)
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, method, fail)
        yield tries


async def reached(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_what_is_on_disk_is_acknowledged(spool: Spool) -> None:
    """Uplinks with their commit, rejected frames with the quarantine's write, each once."""
    source = AcknowledgingSource(spool)
    source.bring(b"1", b"junk", b"2")
    assert source.acknowledged == {}
    await source.until(b"1", b"junk", b"2")
    assert all(source.acknowledged.values())
    source.spooler.close()


async def test_uplinks_of_one_commit_are_acknowledged_by_it(spool: Spool) -> None:
    """Acknowledging costs no commit of its own for each uplink."""
    source = AcknowledgingSource(spool)
    commits: list[int] = []
    commit = spool.commit

    def counted(batch: Batch) -> bool:
        commits.append(1)
        return commit(batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "commit", counted)
        source.bring(*(b"%d" % number for number in range(1, 101)))
        await source.until(*(b"%d" % number for number in range(1, 101)))
    assert len(commits) <= 2  # one may be what the spooler does when it is connected
    source.spooler.close()


async def test_a_failed_commit_acknowledges_nothing(spool: Spool) -> None:
    """Not before a later commit has put the uplink on disk."""
    source = AcknowledgingSource(spool)
    with failing(spool, "commit") as tries:
        source.bring(b"1")
        await reached(lambda: len(tries) > 0)
        await asyncio.sleep(0)  # what the failed commit may have called
        assert source.acknowledged == {}
    await source.until(b"1")
    assert source.acknowledged == {b"1": True}
    source.spooler.close()


async def test_a_full_spool_acknowledges_what_it_has(spool: Spool) -> None:
    """The uplink that fills it is on disk and acknowledged; then the source is paused."""
    source = AcknowledgingSource(spool, max_bytes=10)
    source.bring(b"1")
    await source.until(b"1")
    assert source.acknowledged == {b"1": True}
    assert source.paused
    source.spooler.close()


async def test_a_failing_quarantine_acknowledges_nothing(spool: Spool) -> None:
    """A rejected frame is kept in memory until it can be written, and acknowledged then."""
    source = AcknowledgingSource(spool)
    with failing(spool, "on_file") as tries:
        source.bring(b"junk")
        await reached(lambda: len(tries) > 1)
        assert source.acknowledged == {}
    await source.until(b"junk")
    assert source.acknowledged == {b"junk": True}
    source.spooler.close()


async def test_a_full_disk_acknowledges_no_rejected_frame(spool: Spool) -> None:
    """The quarantine leaves the last of the disk to uplinks; until there is room it owes."""
    source = AcknowledgingSource(spool)
    looks: list[int] = []

    def no_room() -> int:
        looks.append(1)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "room", no_room)
        source.bring(b"junk")
        await reached(lambda: len(looks) > 3)
        assert source.acknowledged == {}
    await source.until(b"junk")
    assert source.acknowledged == {b"junk": True}
    source.spooler.close()


async def test_a_flood_of_rejected_frames_is_kept_where_receipts_are_owed(spool: Spool) -> None:
    """The pace that bounds a flood holds for nobody who waits for each receipt."""
    frames = [b"junk %d" % number for number in range(20)]

    source = AcknowledgingSource(spool, pace=1)
    source.bring(*frames)
    await source.until(*frames)
    assert all(source.acknowledged.values())
    source.spooler.close()


async def test_what_nobody_keeps_is_acknowledged_at_once(spool: Spool) -> None:
    """That is a kind that is not forwarded, and a rejected frame where none are to be kept."""
    source = AcknowledgingSource(spool, max_rejected=0)
    source.bring(b"status", b"junk")
    await source.until(b"status", b"junk")
    assert on_disk(spool) == set()
    source.spooler.close()
