"""The spooler commits in groups, pushes back when it is full, and survives a failing disk."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.message import Message
from bridge.spool import Spool
from bridge.spooler import Spooler
from bridge.timestamps import Placement
from bridge.waiting import Share, Waiting

MESSAGE = Message("lora/a1/d1", b"x" * 990)  # 1,000 bytes with its topic
PLACEMENT = Placement("a1/d1", 1, 1, b"")


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """Open a spool on disk."""
    with Spool(tmp_path / "spool.db") as spool:
        yield spool


async def read_all(spooler: Spooler) -> list[Waiting]:
    """Return everything that waits."""
    return (await spooler.read(0, 10**9, Share(0, 1))).messages


def test_messages_are_readable_after_on_commit(spool: Spool) -> None:
    """`on_commit` is called when what was kept can be read."""

    async def scenario() -> None:
        spooler = Spooler(spool, 10**9)
        committed = asyncio.Event()
        spooler.on_commit = lambda _messages: committed.set()
        running = asyncio.create_task(spooler.run())
        for _ in range(3):
            spooler.keep(MESSAGE, PLACEMENT)
        await committed.wait()
        assert len(await read_all(spooler)) == 3
        running.cancel()
        spooler.close()

    asyncio.run(scenario())


def test_a_forgotten_message_leaves_without_another_commit(spool: Spool) -> None:
    """A delivered message leaves the disk soon, also when nothing else is written."""

    async def scenario() -> None:
        spooler = Spooler(spool, 10**9)
        running = asyncio.create_task(spooler.run())
        spooler.keep(MESSAGE, PLACEMENT)
        await spooler.flush()
        spooler.forget(await read_all(spooler))
        async with asyncio.timeout(10):
            while await spooler.count():
                await asyncio.sleep(0.05)
        running.cancel()
        spooler.close()

    asyncio.run(scenario())


def test_a_refused_message_is_not_tried_again_once_delivered(spool: Spool) -> None:
    """What was delivered or refused a moment ago is not among those to try again."""

    async def scenario() -> None:
        spooler = Spooler(spool, 10**9)
        for _ in range(3):
            spooler.keep(MESSAGE, PLACEMENT)
        await spooler.flush()
        first, second, third = await read_all(spooler)
        for each in (first, second, third):
            spooler.refuse(each, now=1.0)
        assert await spooler.refused(MESSAGE.topic, 0, 10) == [first, second, third]
        spooler.forget([first])
        spooler.refuse(second, now=2.0)
        assert await spooler.oldest_refused("") == third
        assert await spooler.refused(MESSAGE.topic, 0, 10) == [second, third]
        spooler.close()

    asyncio.run(scenario())


def test_pressure_at_max_bytes(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    """At `max_bytes` it asks for no more, and for more again once something has left; both said."""

    async def scenario() -> None:
        spooler = Spooler(spool, 3000)
        pressures: list[bool] = []
        spooler.on_pressure = pressures.append
        for expected in ([], [], [True]):
            spooler.keep(MESSAGE, PLACEMENT)
            assert pressures == expected
        await spooler.flush()
        assert pressures == [True]
        spooler.forget((await read_all(spooler))[:1])
        await spooler.flush()
        assert pressures == [True, False]
        spooler.close()

    asyncio.run(scenario())
    assert "spool: full: 3000 bytes wait, room for" in caplog.text
    assert "spool: room again: 2000 bytes wait, room for" in caplog.text


def test_a_full_spool_is_full_after_a_restart(spool: Spool) -> None:
    """What waits from an earlier run counts too."""

    async def scenario() -> None:
        earlier = Spooler(spool, 10**9)
        earlier.keep(MESSAGE, PLACEMENT)
        await earlier.flush()
        earlier.close()
        spooler = Spooler(spool, 1000)
        pressures: list[bool] = []
        spooler.on_pressure = pressures.append
        running = asyncio.create_task(spooler.run())
        await asyncio.sleep(0)
        assert pressures == [True]
        running.cancel()
        spooler.close()

    asyncio.run(scenario())


def test_failing_disk_loses_nothing(
    spool: Spool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that fails is said and tried again until it succeeds."""
    failures = iter([sqlite3.OperationalError("disk is full")])
    commit = spool.commit

    def failing(*work: object) -> None:
        for failure in failures:
            raise failure
        commit(*work)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(spool, "commit", failing)

    async def scenario() -> None:
        spooler = Spooler(spool, 10**9)
        committed = asyncio.Event()
        spooler.on_commit = lambda _messages: committed.set()
        running = asyncio.create_task(spooler.run())
        spooler.keep(MESSAGE, PLACEMENT)
        async with asyncio.timeout(10):
            await committed.wait()
        assert len(await read_all(spooler)) == 1
        running.cancel()
        spooler.close()

    asyncio.run(scenario())
    assert "spool: disk is full: nothing is lost, trying again" in caplog.text


def test_a_commit_that_nobody_waits_for_is_seen_through(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelling the wait in the midst of a commit neither loses nor repeats it."""
    begun, released = threading.Event(), threading.Event()
    commit = spool.commit

    def slow(*work: object) -> None:
        begun.set()
        released.wait(10)
        commit(*work)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(spool, "commit", slow)

    async def scenario() -> None:
        spooler = Spooler(spool, 10**9)
        spooler.keep(MESSAGE, PLACEMENT)
        waiting = asyncio.create_task(spooler.flush())
        await asyncio.to_thread(begun.wait, 10)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        released.set()
        await spooler.flush()
        assert len(await read_all(spooler)) == 1
        spooler.close()

    asyncio.run(scenario())


def test_the_file_shrinks_back_after_a_backlog(spool: Spool, tmp_path: Path) -> None:
    """What a backlog took on disk is given back once it has been delivered, while running."""

    async def scenario() -> None:
        spooler = Spooler(spool, 10**9)
        running = asyncio.create_task(spooler.run())
        for _ in range(20_000):
            spooler.keep(MESSAGE, PLACEMENT)
        await spooler.flush()
        spooler.forget(await read_all(spooler))
        sizes = [size()]
        async with asyncio.timeout(20):
            while size() > sizes[0] / 3:
                await asyncio.sleep(0.05)
        running.cancel()
        spooler.close()

    def size() -> int:
        return (tmp_path / "spool.db").stat().st_size

    asyncio.run(scenario())
