"""Refused messages have a room of their own, and a person can see to them."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bridge.messages.message import Message
from bridge.messages.timestamper import Placement
from bridge.spool import refused
from bridge.spool.batch import Batch
from bridge.spool.file import join
from bridge.spool.refused import Refusal
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Share, Waiting

PLACEMENT = Placement("a1/d1", 1, 1, b"")
PAYLOAD = b'{"port1_bytes":[1],"timestamp":"2026-11-25T12:00:00.000000Z","seqno":7}'
REASON = "NOT_AUTHORIZED (0x87)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the spool is."""
    return tmp_path / "spool.db"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    """Open a spool with three messages, of which AWS IoT refused two and the SDK one."""
    messages = [Waiting.of(n, Message(f"lora/a1/d{n}", PAYLOAD)) for n in (1, 2, 3, 4)]
    with Spool(path) as spool:
        spool.commit(Batch(messages, [], [], []))
        spool.commit(Batch([], [], [], [Refusal(n, REASON, final=n == 3) for n in (1, 2, 3)]))
        yield spool


class Ends:
    """An outlet and an inlet that do nothing but note pressure."""

    def __init__(self) -> None:
        self.pressures: list[bool] = []

    def arrived(self, messages: list[Waiting]) -> None:
        """Publish nothing."""

    def pause(self) -> None:
        """Note it."""
        self.pressures.append(True)

    def resume(self) -> None:
        """Note it."""
        self.pressures.append(False)


def test_a_list_tells_what_a_person_needs(spool: Spool) -> None:
    """When it was sent and by whom, why it was refused, and whether it is tried again."""
    listed = spool.on_file(refused.listed)
    assert [(each.id, each.device, each.seqno, each.reason, each.tried) for each in listed] == [
        (1, "a1/d1", 7, REASON, "from time to time"),
        (2, "a1/d2", 7, REASON, "from time to time"),
        (3, "a1/d3", 7, REASON, "when asked"),
    ]
    assert listed[0].time == "2026-11-25T12:00:00.000000Z"


def test_details(spool: Spool) -> None:
    """One message is shown whole; one that was not refused is none of these."""
    found = spool.on_file(partial(refused.details, number=3))
    assert found is not None
    assert found["topic"] == "lora/a1/d3"
    assert found["payload"] == {
        "port1_bytes": [1],
        "timestamp": "2026-11-25T12:00:00.000000Z",
        "seqno": 7,
    }
    assert spool.on_file(partial(refused.details, number=4)) is None


def test_what_would_be_refused_each_time_is_not_tried_by_itself(spool: Spool) -> None:
    """Only a person has it tried; refused again, it waits for a person again."""
    assert spool.oldest_refused("lora/a1/d2") is None
    assert spool.refused("lora/a1/d3", 0, 10) == []
    assert spool.asked(10) == []
    spool.on_file(partial(refused.ask, numbers=[3]))
    assert [each.id for each in spool.asked(10)] == [3]
    assert spool.on_file(refused.waiting) == {3}
    spool.commit(Batch([], [], [], [Refusal(3, REASON, final=True)]))
    assert spool.asked(10) == []


def test_only_refused_messages_are_dropped(spool: Spool) -> None:
    """A number of a message that waits to be published drops nothing."""
    spool.on_file(partial(refused.drop, numbers=[2, 4]))
    assert [each.id for each in spool.on_file(refused.listed)] == [1, 3]
    assert [each.id for each in spool.read(0, 10**9, Share(0, 1)).messages] == [4]


def test_a_spool_of_an_older_bridge_gets_the_columns(path: Path) -> None:
    """What it holds stays, and what was refused is tried again."""
    with Spool(path) as spool:
        spool.commit(Batch([Waiting.of(1, Message("lora/a1/d1", PAYLOAD))], [], [], []))
        spool.commit(Batch([], [], [], [Refusal(1, REASON, final=False)]))
    with closing(join(path)) as older:
        older.execute("DROP INDEX refused_to_try")
        older.execute("ALTER TABLE waiting DROP COLUMN reason")
        older.execute("ALTER TABLE waiting DROP COLUMN tried")
    with Spool(path) as spool:
        oldest = spool.oldest_refused("")
        assert oldest is not None
        assert oldest.id == 1


def test_a_damaged_spool_of_an_older_bridge_is_saved(path: Path) -> None:
    """Columns that it does not have cost no message."""
    with Spool(path) as spool:
        for number in range(1, 200):
            message = Message("lora/a1/d1", PAYLOAD + b" " * 1000)
            spool.commit(Batch([Waiting.of(number, message)], [], [], []))
    with closing(join(path)) as older:
        older.execute("DROP INDEX refused_to_try")
        older.execute("ALTER TABLE waiting DROP COLUMN reason")
        older.execute("ALTER TABLE waiting DROP COLUMN tried")
    with path.open("r+b") as file:
        file.seek(4096 * 30)
        file.write(b"\xff" * 4096)
    with Spool(path) as spool:
        assert len(spool.read(0, 10**9, Share(0, 1)).messages) > 190


async def test_refused_messages_leave_the_room_to_others(path: Path) -> None:
    """A spool that holds many of them still takes what can be published."""
    with Spool(path) as spool:
        spooler, ends = Spooler(spool, max_bytes=3000, max_refused=10**6), Ends()
        spooler.connect(outlet=ends, inlets=[ends])
        for _ in range(10):
            spooler.keep(Message("lora/a1/d1", b"x" * 990), PLACEMENT)
        spooler.commit()
        assert ends.pressures == [True]
        for each in (await spooler.read(0, 10**9, Share(0, 1))).messages:
            spooler.refuse(each, REASON, final=False)
        spooler.commit()
        assert ends.pressures == [True, False]
        assert (spooler.held.refused.messages, spooler.held.refused.bytes) == (10, 10_000)
        for each in await spooler.refused("lora/a1/d1", 0, 4):
            spooler.forget([each])
        spooler.commit()
        assert (spooler.held.refused.messages, spooler.held.waiting.messages) == (6, 6)
        spooler.close()


async def test_too_many_refused_messages_are_dropped(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The oldest leave, counted and said, and the others stay."""
    with Spool(path) as spool:
        spooler, ends = Spooler(spool, max_bytes=10**9, max_refused=5000), Ends()
        spooler.connect(outlet=ends, inlets=[])
        for _ in range(10):
            spooler.keep(Message("lora/a1/d1", b"x" * 990), PLACEMENT)
        spooler.commit()
        for each in (await spooler.read(0, 10**9, Share(0, 1))).messages:
            spooler.refuse(each, REASON, final=False)
        spooler.commit()
        assert [each.id for each in await spooler.refused("lora/a1/d1", 0, 99)] == [7, 8, 9, 10]
        assert (
            spooler.held.dropped,
            spooler.held.refused.messages,
            spooler.held.waiting.messages,
        ) == (6, 4, 4)
        spooler.close()
    assert "refused messages dropped: 6, for more than max_refused wait" in caplog.text


async def test_what_a_person_drops_gives_room(path: Path) -> None:
    """The bridge notices that another process has changed the spool."""
    with Spool(path) as spool:
        spooler = Spooler(spool, max_bytes=10**9)
        spooler.connect(outlet=Ends(), inlets=[])
        spooler.keep(Message("lora/a1/d1", PAYLOAD), PLACEMENT)
        spooler.commit()
        for each in (await spooler.read(0, 10**9, Share(0, 1))).messages:
            spooler.refuse(each, REASON, final=True)
        spooler.commit()
        assert spooler.held.refused.messages == 1
        with closing(join(path)) as person:
            refused.drop(person, [1])
        async with asyncio.timeout(10):
            while spooler.held.refused.messages or spooler.held.waiting.messages:
                await asyncio.sleep(0.05)
        spooler.close()
