"""The spooler commits in groups, pushes back when it is full, and survives a failing disk."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.messages.message import Message
from bridge.messages.timestamper import Placement
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Share, Waiting

MESSAGE = Message("lora/a1/d1", b"x" * 990)  # 1,000 bytes with its topic
PLACEMENT = Placement("a1/d1", 1, 1, b"")


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """Open a spool on disk."""
    with Spool(tmp_path / "spool.db") as spool:
        yield spool


class Ends:
    """An outlet and an inlet, which note what the spooler tells them."""

    def __init__(self, arrived: Callable[[list[Waiting]], None] = lambda _messages: None) -> None:
        self.arrived = arrived
        self.pressures: list[bool] = []

    def pause(self) -> None:
        """Note it."""
        self.pressures.append(True)

    def resume(self) -> None:
        """Note it."""
        self.pressures.append(False)


def connected(spooler: Spooler) -> Ends:
    """Connect a spooler to ends of its own."""
    ends = Ends()
    spooler.connect(outlet=ends, inlets=[ends])
    return ends


async def read_all(spooler: Spooler) -> list[Waiting]:
    """Return everything that waits."""
    return (await spooler.read(0, 10**9, Share(0, 1))).messages


async def test_the_outlet_hears_of_messages_first(spool: Spool) -> None:
    """The outlet is told just before what was kept can be read."""
    spooler = Spooler(spool, 10**9)
    arrived = asyncio.Event()
    at_once: list[int] = []

    def on_arrived(messages: list[Waiting]) -> None:
        at_once.extend([len(messages), spooler.count_waiting()])
        arrived.set()

    spooler.connect(outlet=Ends(on_arrived), inlets=[])
    for _ in range(3):
        spooler.keep(MESSAGE, PLACEMENT)
    await arrived.wait()
    assert at_once[:2] == [3, 0]
    assert len(await read_all(spooler)) == 3
    spooler.close()


async def test_what_is_delivered_before_it_is_on_disk_does_not_stay_there(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk fails, what AWS IoT has acknowledged is neither left nor kept afterwards."""
    commit = spool.commit

    def failing(*_work: object) -> None:
        raise sqlite3.OperationalError("disk is full")

    spooler = Spooler(spool, 10**9)
    arrivals: list[list[int]] = []
    taken: list[Waiting] = []

    def on_arrived(messages: list[Waiting]) -> None:
        arrivals.append([each.id for each in messages])
        taken[:] = messages

    spooler.connect(outlet=Ends(on_arrived), inlets=[])
    monkeypatch.setattr(spool, "commit", failing)
    for _ in range(3):
        spooler.keep(MESSAGE, PLACEMENT)
    with pytest.raises(sqlite3.OperationalError):
        spooler.commit()
    spooler.forget(taken[:2])
    assert spooler.uncommitted == 1
    monkeypatch.setattr(spool, "commit", commit)
    spooler.commit()
    assert arrivals == [[1, 2, 3]] * 2
    assert [each.id for each in await read_all(spooler)] == [3]
    assert spooler.held.waiting.messages == 1
    spooler.close()


async def test_messages_that_come_soon_after_another_share_a_commit(spool: Spool) -> None:
    """They are offered at once, and one after a pause is committed at once."""
    spooler = Spooler(spool, 10**9, spacing=0.3)
    offered: list[int] = []
    spooler.connect(outlet=Ends(lambda messages: offered.append(messages[-1].id)), inlets=[])
    await asyncio.sleep(0.4)  # the pause
    spooler.keep(MESSAGE, PLACEMENT)
    await asyncio.sleep(0.01)
    assert (set(offered), spooler.count_waiting()) == ({1}, 1)
    for number in (2, 3, 4):
        spooler.keep(MESSAGE, PLACEMENT)
        await asyncio.sleep(0.01)
        assert (offered[-1], spooler.count_waiting(), spooler.uncommitted) == (
            number,
            1,
            number - 1,
        )
    offered.clear()
    async with asyncio.timeout(10):
        while spooler.uncommitted:
            await asyncio.sleep(0.01)
    assert spooler.count_waiting() == 4
    assert offered == [4]  # once more, for who could not take it before
    spooler.close()


async def test_a_message_that_comes_alone_is_offered_at_once(spool: Spool) -> None:
    """It waits for no round of the event loop; those right behind it are offered with the next."""
    spooler = Spooler(spool, 10**9, spacing=60)
    offered: list[int] = []
    spooler.connect(outlet=Ends(lambda messages: offered.append(messages[-1].id)), inlets=[])
    spooler.keep(MESSAGE, PLACEMENT)
    spooler.commit()
    await asyncio.sleep(0.01)
    spooler.keep(MESSAGE, PLACEMENT)
    assert offered[-1] == 2
    for _ in range(100):
        spooler.keep(MESSAGE, PLACEMENT)
    await asyncio.sleep(0.01)
    assert offered[-1] == 102
    assert len(offered) < 100
    assert spooler.uncommitted == 101
    spooler.close()


async def test_what_is_delivered_leaves_less_often_than_messages_come(spool: Spool) -> None:
    """A commit of what has come does not take it along; a failing one forgets nothing of it."""
    spooler = Spooler(spool, 10**9, spacing=0)
    connected(spooler)
    spooler.keep(MESSAGE, PLACEMENT)
    spooler.commit()
    spooler.forget(await read_all(spooler))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "commit", lambda _batch: 1 / 0)
        spooler.keep(MESSAGE, PLACEMENT)
        async with asyncio.timeout(10):
            while spooler.problem is None:
                await asyncio.sleep(0)
    spooler.commit()
    assert [each.id for each in await read_all(spooler)] == [2]
    spooler.close()


async def test_a_forgotten_message_leaves_without_another_commit(spool: Spool) -> None:
    """A delivered message leaves the disk soon, also when nothing else is written."""
    spooler = Spooler(spool, 10**9)
    spooler.keep(MESSAGE, PLACEMENT)
    spooler.commit()
    spooler.forget(await read_all(spooler))
    async with asyncio.timeout(10):
        while spooler.count_waiting():
            await asyncio.sleep(0.05)
    spooler.close()


async def test_a_refused_message_is_not_tried_again_once_delivered(spool: Spool) -> None:
    """What was delivered or refused a moment ago is not among those to try again."""
    spooler = Spooler(spool, 10**9)
    for _ in range(3):
        spooler.keep(MESSAGE, PLACEMENT)
    spooler.commit()
    first, second, third = await read_all(spooler)
    for each in (first, second, third):
        spooler.refuse(each, "0x87", final=False)
    tried = await spooler.refused(MESSAGE.topic, 0, 10)
    assert [each.id for each in tried] == [first.id, second.id, third.id]
    spooler.forget([first])
    spooler.refuse(second, "0x87", final=False)
    oldest = await spooler.oldest_refused("")
    assert oldest is not None
    assert oldest.id == third.id
    tried = await spooler.refused(MESSAGE.topic, 0, 10)
    assert [each.id for each in tried] == [second.id, third.id]
    spooler.close()


async def test_pressure_at_max_bytes(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    """At `max_bytes` it asks for no more, and for more again once something has left; both said."""
    spooler = Spooler(spool, 3000)
    pressures = connected(spooler).pressures
    for expected in ([], [], [True]):
        spooler.keep(MESSAGE, PLACEMENT)
        spooler.commit()
        assert pressures == expected
    spooler.forget((await read_all(spooler))[:1])
    spooler.commit()
    assert pressures == [True, False]
    spooler.close()
    assert "spool: full: 3000 bytes wait, room for" in caplog.text
    assert "spool: room again: 2000 bytes wait, room for" in caplog.text


async def test_a_full_spool_that_lost_messages_has_room(spool: Spool, tmp_path: Path) -> None:
    """What a damaged file cost does not count any more."""
    messages = 300

    spooler = Spooler(spool, 1000 * messages)
    pressures = connected(spooler).pressures
    for _ in range(messages):
        spooler.keep(MESSAGE, PLACEMENT)
    spooler.commit()
    assert pressures == [True]
    with closing(sqlite3.connect(tmp_path / "spool.db")) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "spool.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 60)
    spool._db.execute("PRAGMA shrink_memory")  # noqa: SLF001  # it has read the pages before
    assert len(await read_all(spooler)) < messages
    spooler.commit()
    assert pressures == [True, False]
    spooler.close()


async def test_a_full_spool_is_full_after_a_restart(spool: Spool) -> None:
    """What waits from an earlier run counts too."""
    earlier = Spooler(spool, 10**9)
    earlier.keep(MESSAGE, PLACEMENT)
    earlier.commit()
    earlier.close()
    spooler = Spooler(spool, 1000)
    pressures = connected(spooler).pressures
    async with asyncio.timeout(10):
        while not pressures:
            await asyncio.sleep(0)
    assert pressures == [True]
    spooler.close()


async def test_failing_disk_loses_nothing(
    spool: Spool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that fails is said and tried again until it succeeds."""
    failures = iter([sqlite3.OperationalError("disk is full"), OverflowError("unforeseen")])
    commit = spool.commit

    def failing(*work: object) -> None:
        for failure in failures:
            raise failure
        commit(*work)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(spool, "commit", failing)

    spooler = Spooler(spool, 10**9)
    spooler.keep(MESSAGE, PLACEMENT)
    async with asyncio.timeout(10):
        while not spooler.count_waiting():
            await asyncio.sleep(0.05)
    assert len(await read_all(spooler)) == 1
    spooler.close()
    assert "spool: disk is full: nothing is lost, trying again" in caplog.text
    assert "spool: unforeseen: nothing is lost, trying again" in caplog.text


async def test_the_file_shrinks_back_after_a_backlog(spool: Spool, tmp_path: Path) -> None:
    """What a backlog took on disk is given back once it has been delivered, while running."""

    def size() -> int:
        return (tmp_path / "spool.db").stat().st_size

    spooler = Spooler(spool, 10**9)
    connected(spooler)
    for _ in range(20_000):
        spooler.keep(MESSAGE, PLACEMENT)
    spooler.commit()
    spooler.forget(await read_all(spooler))
    sizes = [size()]
    async with asyncio.timeout(20):
        while size() > sizes[0] / 3:
            await asyncio.sleep(0.05)
    spooler.close()
