"""The digest of a folder of codecs is that of what is packed of it."""

from pathlib import Path

import pytest

from codec.digest import codecs_digest
from codec.mapping import load
from contract.errors import BridgeError

_ENTRY = '[[codec]]\nfile = "a.js"\n'
_CODEC = "function decodeUplink(input) { return { data: {} }; }"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with one codec, and another file."""
    (tmp_path / "codecs.toml").write_text(_ENTRY)
    (tmp_path / "a.js").write_text(_CODEC)
    (tmp_path / "README").write_text("no codec")
    return tmp_path


def test_it_changes_with_what_is_packed(folder: Path) -> None:
    """With the mapping and with a codec that it names; not with another file."""
    assert load(folder).files == {"a.js"}
    digests = [codecs_digest(folder)]
    (folder / "a.js").write_text(f"{_CODEC} ")
    digests.append(codecs_digest(folder))
    (folder / "codecs.toml").write_text(f"{_ENTRY}ports = [1]\n")
    digests.append(codecs_digest(folder))
    (folder / "codecs.toml").write_text(f'{_ENTRY}[[codec]]\nfile = "CayenneLPP"\n')
    digests.append(codecs_digest(folder))
    assert len(set(digests)) == len(digests)
    (folder / "README").write_text("still none")
    assert codecs_digest(folder) == digests[-1]


def test_a_mapping_that_cannot_be_read(folder: Path) -> None:
    """It is named, in one line."""
    (folder / "codecs.toml").write_text("[[codec]]\n")
    with pytest.raises(BridgeError, match=r"codecs\.toml: Object missing required field `file`"):
        codecs_digest(folder)
    (folder / "codecs.toml").unlink()
    with pytest.raises(BridgeError, match=r"codecs\.toml: cannot read it: No such file"):
        codecs_digest(folder)
