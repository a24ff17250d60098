"""What arrives is taken once, whatever becomes of the commit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.aws_iot.lane import Lane
from bridge.aws_iot.refused import RefusedMessages
from bridge.config import Aws
from bridge.counts import Counts
from bridge.messages.message import Message
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Share, Waiting
from bridge.timings import Timings
from lab.rig.certificates import make_certificates


@asynccontextmanager
async def unconnected(folder: Path) -> AsyncIterator[Lane]:
    """Give a lane that is never connected, so that nothing leaves it."""
    make_certificates(folder)
    aws = Aws(
        endpoint="localhost",
        client_id="a",
        certificate=folder / "client.pem",
        private_key=folder / "client.key",
    )
    with Spool(folder / "spool.db") as spool:
        spooler = Spooler(spool, 10**9)
        refused = RefusedMessages(spooler, lambda _messages: None, Timings())
        lane = Lane(aws, Share(0, 1), spooler, refused, Counts(), Timings())
        reading = asyncio.create_task(lane.read_ahead())
        await asyncio.sleep(0)  # it has caught up with the empty spool
        yield lane
        reading.cancel()
        spooler.close()


def numbered(first: int, last: int) -> list[Waiting]:
    """Return messages of ten bytes, with their topic."""
    return [Waiting.of(number, Message("lora/a/d", b"{}")) for number in range(first, last + 1)]


async def test_what_is_offered_again_is_taken_once(tmp_path: Path) -> None:
    """After a commit that failed, the next offers the same messages with those that came since."""
    async with unconnected(tmp_path) as lane:
        lane.arrived(numbered(1, 3))
        lane.arrived(numbered(1, 5))
        assert lane._window.ready_bytes == 50


async def test_what_a_lane_behind_was_offered_is_offered_again(tmp_path: Path) -> None:
    """A lane that had enough takes from the next offer what no commit has put on disk yet."""
    async with unconnected(tmp_path) as lane:
        lane._max_ready = 30
        lane.arrived(numbered(1, 3))
        lane.arrived(numbered(1, 5))
        assert lane._window.ready_bytes == 30
        lane._max_ready = 100
        lane._behind = False  # as reading ahead finds, while the disk has nothing newer
        lane.arrived(numbered(1, 6))
        assert lane._window.ready_bytes == 60


async def test_a_lane_that_catches_up_between_offer_and_commit_misses_nothing(
    tmp_path: Path,
) -> None:
    """What it could not take when it came is offered once more as it is committed."""
    async with unconnected(tmp_path) as lane:
        lane._max_ready = 30
        lane.arrived(numbered(1, 3))
        lane.arrived(numbered(1, 5))  # has enough: is behind
        lane._max_ready = 1000
        lane._taken_up_to = 3
        lane._behind = False  # has read all that is on disk, which is 1 to 3
        lane.arrived(numbered(1, 5))  # the commit
        assert lane._window.ready_bytes == 50
        lane.arrived(numbered(6, 7))
        assert lane._window.ready_bytes == 70
