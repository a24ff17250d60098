"""Damage to the write-ahead log is noticed, though SQLite passes over it, and costs little."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.spool.salvage import DamagedError, examine
from bridge.spool.wal import PAGE, parse_log
from tests.bridge.spool.crash import COUNT, crashed, saved

HEADER, FRAME = 32, 24 + PAGE  # bytes
ON_A_PAGE = 20  # messages


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a spool as a kill leaves it, to be copied."""
    return crashed(tmp_path_factory.mktemp("image"))


@pytest.fixture
def path(image: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    return Path(shutil.copytree(image.parent, tmp_path / "copy")) / image.name


def log_of(path: Path) -> Path:
    """Return the path of the spool's log."""
    return path.with_name("spool.db-wal")


def index_of(path: Path) -> Path:
    """Return the path of the log's index, which a power failure may take."""
    return path.with_name("spool.db-shm")


def change(path: Path, offset: int, content: bytes) -> None:
    """Write over a part of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def flip(path: Path, offset: int, bit: int) -> None:
    """Flip a bit of a file."""
    change(path, offset, bytes([path.read_bytes()[offset] ^ 1 << bit]))


def in_use(path: Path) -> int:
    """Return how many bytes of the log are of its newest round."""
    return HEADER + len(parse_log(log_of(path).read_bytes()).places) * FRAME


def test_a_sound_log_is_left_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """After a kill SQLite reads all that was committed, and nothing is said."""
    assert saved(path) == [*range(1, COUNT + 1)]
    assert caplog.messages == []
    assert not path.with_name("spool.db.damaged-1").exists()


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("part", [0.01, 0.2, 0.37, 0.5, 0.71, 0.9, 0.99])
def test_a_bit_that_changed_costs_what_was_on_its_page(
    path: Path, caplog: pytest.LogCaptureFixture, part: float, *, index: bool
) -> None:
    """What came later is saved too, nothing is changed, and one line says how much was saved."""
    flip(log_of(path), int(in_use(path) * part), bit=round(part * 100) % 8)
    log = log_of(path).read_bytes()
    if not index:
        index_of(path).unlink()
    found = saved(path)
    assert len(found) >= COUNT - ON_A_PAGE
    aside = path.with_name("spool.db.damaged-1")
    assert aside.with_name(aside.name + "-wal").read_bytes() == log
    assert f"moved to {aside}; {len(found)} messages saved from it" in caplog.text
    assert "of its write-ahead log is damaged" in caplog.text
    assert saved(path) == found


def test_a_bit_of_the_last_frame_is_noticed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing comes behind it, but the index knows that it was committed."""
    flip(log_of(path), in_use(path) - 10, bit=3)
    assert len(saved(path)) >= COUNT - ON_A_PAGE
    assert "sound frames of" in caplog.text


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_log_that_is_cut_off_is_noticed(
    path: Path, caplog: pytest.LogCaptureFixture, part: float
) -> None:
    """What is before the cut is saved, and one line says so."""
    os.truncate(log_of(path), int(in_use(path) * part))
    found = saved(path)
    assert found == [*range(1, len(found) + 1)]
    assert f"{len(found)} messages saved from it" in caplog.text


def test_a_log_that_is_gone_is_noticed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The index knows of frames that the database does not have."""
    log_of(path).unlink()
    found = saved(path)
    assert f"{len(found)} messages saved from it" in caplog.text


def test_a_damaged_header_costs_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The frames tell by themselves which are of the newest round."""
    change(log_of(path), 0, b"\xff" * 24)
    assert saved(path) == [*range(1, COUNT + 1)]
    assert "the header of its write-ahead log is damaged" in caplog.text


def test_noise_in_the_log_costs_what_was_on_its_pages(path: Path) -> None:
    """Frames that say nothing at all are passed over, and those behind them are read."""
    change(log_of(path), HEADER + 100 * FRAME, os.urandom(3 * FRAME))
    assert len(saved(path)) >= COUNT - 4 * ON_A_PAGE


@pytest.mark.parametrize(
    "end",
    [
        lambda log, frame: log + frame[:24],
        lambda log, frame: log + frame[:1000],
        lambda log, frame: log + frame[:24] + b"\0" * PAGE,
        lambda log, frame: log + frame + frame[:24],
    ],
    ids=["a header", "half a frame", "an unwritten page", "an open commit"],
)
def test_an_ordinary_end_is_no_damage(
    path: Path, end: Callable[[bytes, bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """A commit that a kill cut off was promised to nobody: SQLite drops it, and nothing is said."""
    size = in_use(path)
    log = log_of(path).read_bytes()[:size]
    frame = bytearray(log[-FRAME:])
    frame[4:8] = bytes(4)  # within a commit
    log_of(path).write_bytes(end(log, bytes(frame)))
    assert saved(path) == [*range(1, COUNT + 1)]
    assert caplog.messages == []


def test_the_remainder_of_an_index_is_no_damage(path: Path) -> None:
    """After a power failure the index may be of an earlier round through the log."""
    change(log_of(path), 16, b"\x12" * 8)  # the salts of another round, in a header of its own
    log = parse_log(log_of(path).read_bytes())
    assert not log.read()
    log_of(path).write_bytes(b"")
    index_of(path).write_bytes(b"\0" * 32768)
    examine(path)


@pytest.mark.parametrize("left", [0, 100, PAGE, 10 * PAGE])
def test_a_database_that_was_cut_off_beside_its_log(
    path: Path, caplog: pytest.LogCaptureFixture, left: int
) -> None:
    """All that is in the log is saved, and SQLite gets no chance to remove the log."""
    database, log = path.read_bytes(), log_of(path).read_bytes()
    in_log = {each.page for each in parse_log(log).all()}
    kept = sum(
        database.count(b"payload ", page * PAGE, (page + 1) * PAGE)
        for page in range(len(database) // PAGE)
        if page + 1 not in in_log
    )
    os.truncate(path, left)
    found = saved(path)
    assert len(found) >= COUNT - kept - ON_A_PAGE
    aside = path.with_name("spool.db.damaged-1")
    assert aside.with_name(aside.name + "-wal").read_bytes() == log
    assert f"{len(found)} messages saved from it" in caplog.text


def test_a_database_that_is_gone_beside_its_log(tmp_path: Path) -> None:
    """Where the log has all of it, nothing is lost."""
    path = crashed(tmp_path, count=100)
    path.unlink()
    path.touch()
    with pytest.raises(DamagedError):
        examine(path)
    path.unlink()
    assert saved(path) == [*range(1, 101)]
