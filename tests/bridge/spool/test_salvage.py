"""A damaged spool is moved aside whole, and what can be read of it goes on."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.messages.message import Message
from bridge.messages.timestamper import Placement
from bridge.spool import salvage
from bridge.spool.batch import Batch
from bridge.spool.refused import Refusal
from bridge.spool.spool import Spool
from bridge.spool.waiting import Share, Waiting

COUNT = 1000
PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a spool of many pages, closed."""
    path = tmp_path / "spool.db"
    with Spool(path) as spool:
        for number in range(1, COUNT + 1):
            message = Message("lora/a1/d1", b"payload %d " % number + b"x" * 200)
            spool.commit(
                Batch(
                    [Waiting.of(number, message)], [Placement("a1/d1", number, number, b"")], [], []
                )
            )
    return path


def damage(path: Path, offset: int, content: bytes) -> bytes:
    """Write over a part of the file; return all of it then."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)
    return path.read_bytes()


def saved(path: Path) -> list[int]:
    """Return the ids of what a new run reads, all of it sound."""
    with Spool(path) as spool:
        messages = spool.read(0, 10**9, Share(0, 1)).messages
        spool.placements()
    for each in messages:
        assert each.payload.startswith(b"payload %d x" % each.id)
    return [each.id for each in messages]


def test_a_damaged_page_costs_what_was_on_it(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Messages on the other pages are saved, those before and those after it; the line says so."""
    page = path.read_bytes()[20 * PAGE : 21 * PAGE]
    whole = damage(path, 20 * PAGE, b"\xff" * PAGE)
    found = saved(path)
    assert COUNT - 20 <= len(found) < COUNT
    assert found == [n for n in range(1, COUNT + 1) if b"payload %d x" % n not in page]
    aside = path.with_name("spool.db.damaged-1")
    assert aside.read_bytes() == whole
    assert f"moved to {aside}; {len(found)} messages saved from it" in caplog.text
    assert saved(path) == found


def test_a_salvage_tells_that_it_goes_on(path: Path) -> None:
    """Whoever waits for a large one hears of it, step by step."""
    more = [Waiting.of(n, Message("lora/a1/d1", b"x")) for n in range(COUNT + 1, 50_000)]
    with Spool(path) as spool:
        spool.commit(Batch(more, [], [], []))
    damage(path, 20 * PAGE, b"\xff" * PAGE)
    heard: list[None] = []
    with Spool(path, lambda: heard.append(None)) as spool:
        spool.read(0, 10**9, Share(0, 1))
    assert len(heard) > 4


def test_several_damaged_pages_cost_what_was_on_them(path: Path) -> None:
    """Between two damaged places everything is saved too."""
    damage(path, 20 * PAGE, b"\xff" * PAGE)
    damage(path, 40 * PAGE, b"\xff" * PAGE)
    assert COUNT - 40 <= len(saved(path)) < COUNT - 15


def test_a_damaged_end_hides_nothing_before_it(path: Path) -> None:
    """With the last page damaged, what is behind another damaged one is saved too."""
    whole = path.read_bytes()
    for number in (COUNT // 2, COUNT):
        page = whole.index(b"payload %d x" % number) // PAGE
        damage(path, page * PAGE, b"\xff" * PAGE)
    found = saved(path)
    assert COUNT - 40 <= len(found) < COUNT - 15
    assert found[-1] > COUNT - 20


def test_a_damaged_beginning_costs_nothing(path: Path) -> None:
    """The file's first page holds no message, and is known without it."""
    damage(path, 0, b"not a database" * (PAGE // 14))
    assert saved(path) == [*range(1, COUNT + 1)]


def test_a_file_that_is_cut_off_costs_its_end(path: Path) -> None:
    """What is before the cut is saved."""
    os.truncate(path, 30 * PAGE)
    found = saved(path)
    assert len(found) > 100
    assert found == sorted(found)


def test_a_file_of_nothing_but_noise(path: Path) -> None:
    """Nothing can be saved, and the bridge runs nevertheless."""
    path.write_bytes(b"noise" * 10_000)
    assert saved(path) == []
    assert path.with_name("spool.db.damaged-1").read_bytes() == b"noise" * 10_000


def test_damage_found_while_running(path: Path) -> None:
    """The spool goes on in a sound file: the rest is read, commits succeed, the refused stay."""
    with Spool(path) as spool:
        spool.commit(Batch([], [], [], [Refusal(COUNT, "0x87", final=False)]))
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        damage(path, 20 * PAGE, b"\xff" * PAGE)
        spool._db.execute("PRAGMA shrink_memory")  # noqa: SLF001  # it has read the page before
        found = spool.read(0, 10**9, Share(0, 1)).messages
        assert COUNT - 21 <= len(found) < COUNT - 1
        oldest = spool.oldest_refused("")
        assert oldest is not None
        assert oldest.id == COUNT
        spool.commit(Batch([Waiting.of(COUNT + 1, Message("lora/a1/d1", b"new"))], [], [1], []))
    with Spool(path) as spool:
        assert len(spool.read(0, 10**9, Share(0, 1)).messages) == len(found)  # one came, one left


def test_a_second_damage_is_moved_to_another_place(path: Path) -> None:
    """An earlier damaged file is not written over."""
    for number in (1, 2):
        path.write_bytes(b"noise %d" % number * 1000)
        saved(path)
        aside = path.with_name(f"spool.db.damaged-{number}")
        assert aside.read_bytes() == b"noise %d" % number * 1000


def test_a_salvage_that_was_cut_off_is_finished(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between saving and exchanging the files loses nothing of either."""
    whole = damage(path, 20 * PAGE, b"\xff" * PAGE)

    def crash(_path: Path) -> Path:
        raise OSError("crash")

    with monkeypatch.context() as patch:
        patch.setattr(salvage, "_exchange", crash)
        with pytest.raises(OSError, match="crash"):
            saved(path)
    assert path.read_bytes() == whole
    assert len(saved(path)) >= COUNT - 20
    assert path.with_name("spool.db.damaged-1").read_bytes() == whole


def test_a_salvage_that_cannot_be_written(path: Path) -> None:
    """Where the sound file cannot be made, the damaged one stays in its place."""
    whole = damage(path, 20 * PAGE, b"\xff" * PAGE)
    path.with_name("spool.db.building").mkdir()
    with pytest.raises(IsADirectoryError):
        saved(path)
    assert path.read_bytes() == whole


def test_a_salvage_that_failed_is_tried_again(path: Path) -> None:
    """Once the sound file can be made, the running spool goes on in it."""
    damage(path, 20 * PAGE, b"\xff" * PAGE)
    building = path.with_name("spool.db.building")
    building.mkdir()
    with Spool(path) as spool:
        for _ in range(2):
            with pytest.raises(IsADirectoryError):
                spool.read(0, 10**9, Share(0, 1))
        building.rmdir()
        assert len(spool.read(0, 10**9, Share(0, 1)).messages) >= COUNT - 20


def test_a_salvage_that_cannot_be_put_in_place_is_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next attempt goes on with what the first one saved, for the damaged file has moved."""
    damage(path, 20 * PAGE, b"\xff" * PAGE)
    rename = Path.rename
    failures = iter([OSError("no space left")])

    def failing(source: Path, target: Path) -> Path:
        if source.name.endswith(".salvaged"):
            for failure in failures:
                raise failure
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", failing)
    with Spool(path) as spool:
        with pytest.raises(OSError, match="no space left"):
            spool.read(0, 10**9, Share(0, 1))
        assert len(spool.read(0, 10**9, Share(0, 1)).messages) >= COUNT - 20


def test_several_damaged_pages_cost_their_own_messages_only(path: Path) -> None:
    """What lies between two damaged pages is saved."""
    for page in (10, 40, 50):
        damage(path, page * PAGE, b"\xff" * PAGE)
    found = saved(path)
    assert COUNT - 3 * 20 <= len(found) < COUNT - 2


def test_a_topic_that_is_no_text_any_more_costs_its_message_only(path: Path) -> None:
    """Bits that changed in a topic are damage too: nothing else waits for that message."""
    content = path.read_bytes()
    offset = content.index(b"lora/a1/d1payload 500 ")
    damage(path, offset, b"\xff")
    assert saved(path) == [number for number in range(1, COUNT + 1) if number != 500]


def test_placements_that_cannot_be_read_are_forgotten(path: Path) -> None:
    """They are a memory of what was, and hold no message up."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE placements SET several = x'c1' WHERE last = 7")
        database.commit()
    with Spool(path) as spool:
        assert len(spool.placements()) == COUNT - 1
