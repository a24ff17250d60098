"""Frames that a person asks for are read by the rules and the configuration of now."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from bridge.clock import Clock
from bridge.config import Listen
from bridge.counts import Counts
from bridge.messages.message import Message
from bridge.messages.timestamper import Placement, Timestamper
from bridge.sources.forwarder import Forwarder
from bridge.sources.retry import Retry
from bridge.sources.semtech.listener import parser_of
from bridge.spool import rejected
from bridge.spool.batch import Batch
from bridge.spool.rejected import ListedFrame, Rejected
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Share, Waiting
from contract.deployment import UNNAMED
from tests.bridge.sources.semtech.frames import LAYOUT_1, LAYOUT_2, RECEIVED, frame

_HERE, _THERE = "127.0.0.1:6500", "127.0.0.1:6501"


def _listen(address: str, application: str | None) -> Listen:
    host, _, port = address.partition(":")
    return Listen(host=host, port=int(port), application=application)


class _Nowhere:
    """An outlet that publishes nothing."""

    def arrived(self, messages: list[Waiting]) -> None:
        """Leave them in the spool."""


def rejected_frame(data: bytes, listener: str = _HERE, *, whole: bool = True) -> Rejected:
    """Return a frame that was rejected when it came."""
    return Rejected(RECEIVED, listener, "some reason", whole, data)


def left(spool: Spool) -> list[ListedFrame]:
    """Return the rejected frames that are still there."""
    return spool.on_file(rejected.listed)


async def read_again(
    path: Path,
    *frames: Rejected,
    max_bytes: int = 10**9,
    listens: Sequence[Listen] = (_listen(_HERE, "a1"), _listen(_THERE, None)),
    until: Callable[[Spool], bool],
) -> tuple[list[Waiting], list[ListedFrame]]:
    """Ask for all of these frames; return what waits and what is left when it is so far."""
    with Spool(path) as spool:
        spool.on_file(partial(rejected.keep, frames=frames))
        numbers = [each.id for each in left(spool)]
        spool.on_file(partial(rejected.ask, numbers=numbers))
        spooler = Spooler(spool, max_bytes)
        spooler.connect(outlet=_Nowhere(), inlets=[])
        clock = Clock(wall=lambda: 1, monotonic=lambda: 0.0)
        forwarder = Forwarder(
            spooler.keep,
            lambda _rejected, _receipt=None: None,
            lambda _answer, _receipt=None: None,
            Timestamper(),
            Counts(),
            clock,
            deployment=UNNAMED,
        )
        reading = Retry(spool, spooler, forwarder, parser_of(listens), look_every=0.01)
        task = asyncio.create_task(reading.run())
        async with asyncio.timeout(10):
            while not until(spool):
                await asyncio.sleep(0.01)
        task.cancel()
        spooler.close()
        return spool.read(0, 10**9, Share(0, 1)).messages, left(spool)


def none_asked(spool: Spool) -> bool:
    """Say whether every request has been met."""
    return not spool.on_file(rejected.waiting)


async def test_what_is_understood_now_is_published(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits for publishing, in the order of receipt, and is rejected no more."""
    caplog.set_level(logging.INFO)
    frames = [rejected_frame(each) for each in (LAYOUT_1, LAYOUT_2, frame(appeui=None))]
    made, others = await read_again(tmp_path / "spool.db", *frames, until=none_asked)
    assert [each.topic for each in made] == [
        "lora/37817737f13/9372163",
        "lora/a1/9372163",
        "lora/a1/9372163",
    ]
    assert b'"timestamp":"2015-10-15T11:51:00.123456Z"' in made[0].payload
    assert b'"timestamp":"2015-10-15T11:51:00.123457Z"' in made[2].payload
    assert others == []
    assert caplog.messages == ["3 rejected frames read again: 0 still rejected"]


async def test_what_is_not_understood_stays(tmp_path: Path) -> None:
    """With the reason of today; so does one of which only the beginning is there."""
    frames = [
        rejected_frame(b"junk"),
        rejected_frame(LAYOUT_2, _THERE),
        rejected_frame(LAYOUT_2, "gone:1"),
        rejected_frame(LAYOUT_1, whole=False),
    ]
    made, others = await read_again(tmp_path / "spool.db", *frames, until=none_asked)
    assert made == []
    assert [each.reason for each in others] == [
        "not JSON",
        "no application",
        "no application",
        "some reason",
    ]


async def test_a_listener_that_moved(tmp_path: Path) -> None:
    """Frames of an address that is no more are of the application that all others have."""
    gone = rejected_frame(LAYOUT_2, "gone:1")
    listens = (_listen(_HERE, "a2"), _listen(_THERE, "a2"))
    path = tmp_path / "spool.db"
    made, others = await read_again(path, gone, listens=listens, until=none_asked)
    assert [each.topic for each in made] == ["lora/a2/9372163"]
    assert others == []


async def test_what_is_no_uplink_is_done_with(tmp_path: Path) -> None:
    """A message of another kind, by the rules of now, is neither published nor rejected."""
    path = tmp_path / "spool.db"
    assert await read_again(path, rejected_frame(b'{"mote":{}}'), until=none_asked) == ([], [])


async def test_more_than_at_once(tmp_path: Path) -> None:
    """Any number is read, each once."""
    frames = [rejected_frame(frame(moteeui=str(number))) for number in range(500)]
    made, others = await read_again(tmp_path / "spool.db", *frames, until=none_asked)
    assert [each.topic for each in made] == [f"lora/37817737f13/{n}" for n in range(500)]
    assert others == []


async def test_what_cannot_be_read_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of whatever kind is said, and what was asked for is tried again."""
    failures = iter([sqlite3.OperationalError("database is locked"), ValueError("unforeseen")])
    again = Forwarder.again

    def failing(forwarder: Forwarder, *arguments: object) -> bool:
        for failure in failures:
            raise failure
        return again(forwarder, *arguments)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(Forwarder, "again", failing)
    made, others = await read_again(
        tmp_path / "spool.db", rejected_frame(LAYOUT_1), until=none_asked
    )
    assert (len(made), others) == (1, [])
    assert caplog.messages == ["rejected frames cannot be read again: database is locked"]


async def test_a_full_spool_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the spool takes no frames, it takes none of these either."""
    path = tmp_path / "spool.db"
    looks: list[bool] = []

    def seen(spooler: Spooler) -> bool:
        looks.append(spooler._pressed)  # noqa: SLF001  # what it says
        return looks[-1]

    monkeypatch.setattr(Spooler, "pressed", property(seen))
    with Spool(path) as spool:
        spool.commit(Batch([Waiting(1, 0, "lora/a/d", b"x" * 2000)], [], [], []))
    made, others = await read_again(
        path, rejected_frame(LAYOUT_1), max_bytes=1000, until=lambda _spool: looks.count(True) > 3
    )
    assert ([each.id for each in made], len(others)) == ([1], 1)


async def test_a_frame_is_not_lost_when_the_message_cannot_be_written(tmp_path: Path) -> None:
    """Before the commit the frame is there, and after it the message."""
    path = tmp_path / "spool.db"

    with Spool(path) as spool:
        spool.on_file(partial(rejected.keep, frames=[rejected_frame(LAYOUT_1)]))
        spooler = Spooler(spool, 10**9)
        spooler.keep_again(1, Message("lora/a/d", b"{}"), Placement("a/d", 1, 1, b""))
        assert (spooler.count_waiting(), len(left(spool))) == (0, 1)
        spooler.commit()
        assert (spooler.count_waiting(), len(left(spool))) == (1, 0)
        spooler.close()
