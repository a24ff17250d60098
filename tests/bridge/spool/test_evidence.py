"""Nobody's file but a spool is opened, written or moved."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.spool.spool import Spool
from contract.errors import BridgeError
from lab.rig.certificates import make_certificates


def names(folder: Path) -> set[str]:
    """Return the names of what is in a folder."""
    return {each.name for each in folder.iterdir()}


@pytest.mark.parametrize(
    "content",
    [
        b'[[listen]]\nport = 6500\n[spool]\npath = "bridge.toml"\n',
        b'{"a": 1}\n' * 5000,
        b"\n" * 100_000,
        b"\r\n\r\n" * 20_000,
        bytes(range(256)) * 100,
        b"\0" * 100_000,
        b"SQLite is no magic",
    ],
    ids=["configuration", "JSON", "lines", "more lines", "bytes", "zeros", "text"],
)
def test_another_file_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    """The error names it, and nothing is beside it afterwards."""
    path = tmp_path / "bridge.toml"
    path.write_bytes(content)
    with pytest.raises(BridgeError, match=r"bridge\.toml: not a spool"):
        Spool(path)
    assert path.read_bytes() == content
    assert names(tmp_path) == {"bridge.toml"}


def test_a_private_key_is_left_as_it_is(tmp_path: Path) -> None:
    """A key that is named by mistake stays where the bridge needs it."""
    make_certificates(tmp_path)
    path = tmp_path / "client.key"
    key, before = path.read_bytes(), names(tmp_path)
    with pytest.raises(BridgeError, match="not a spool"):
        Spool(path)
    assert (path.read_bytes(), names(tmp_path)) == (key, before)


@pytest.mark.parametrize("tables", [1, 100])
def test_another_program_s_database_is_left_as_it_is(tmp_path: Path, tables: int) -> None:
    """Its tables say whose it is, be they few or more than one page can name."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        for number in range(tables):
            other.execute(f"CREATE TABLE device_{number} (eui TEXT, name TEXT, last_seen INTEGER)")
        other.commit()
    content = path.read_bytes()
    with pytest.raises(BridgeError, match=r"other\.db: not a spool"):
        Spool(path)
    assert path.read_bytes() == content


def test_what_is_no_file_is_left_as_it_is(tmp_path: Path) -> None:
    """A pipe, a folder or a device is neither waited for nor moved."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path("/dev/null")):
        with pytest.raises(BridgeError, match="not a file"):
            Spool(path)
    assert names(tmp_path) == {"pipe"}


def test_an_empty_file_becomes_a_spool(tmp_path: Path) -> None:
    """It holds nothing of anybody's."""
    path = tmp_path / "spool.db"
    path.touch()
    with Spool(path) as spool:
        assert spool.count_waiting() == (0, 0)
