"""A codec's file is read in whatever encoding it was saved."""

from pathlib import Path

import pytest

from codec.source import read_source

SCRIPT = "function decodeUplink() { return {data: {unit: '°C'}} }"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_as_it_is(tmp_path: Path, encoding: str) -> None:
    """With or without a mark at the beginning."""
    path = tmp_path / "codec.js"
    path.write_bytes(SCRIPT.encode(encoding))
    assert read_source(path) == SCRIPT


@pytest.mark.parametrize("encoding", ["latin-1", "gbk"])
def test_other_encodings_cost_their_own_characters_only(tmp_path: Path, encoding: str) -> None:
    """As in Node, where a comment in another encoding is no matter."""
    path = tmp_path / "codec.js"
    path.write_bytes(f"// 23 °\n{SCRIPT[:9]}".encode(encoding))
    first, second = read_source(path).split("\n")
    assert first.startswith("// 23 \ufffd")
    assert second == SCRIPT[:9]
