"""The rooms of the bridge, which know of each other one way."""

import ast
from pathlib import Path

import pytest

import bridge

_FOLDER = Path(bridge.__file__).parent
_KNOWS: dict[str, set[str]] = {
    "messages": set(),
    "spool": {"messages"},
    "sources": {"messages", "spool"},
    "aws_iot": {"messages", "spool"},
    "health": {"messages", "sources", "spool", "aws_iot"},
}


def imported(room: str) -> set[str]:
    """Return the other rooms whose modules are imported by those of a room."""
    trees = [ast.parse(path.read_text()) for path in (_FOLDER / room).glob("*.py")]
    names = {
        node.module or ""
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    rooms = {path.name for path in _FOLDER.iterdir() if path.is_dir()} - {room}
    return {part for name in names for part in name.split(".")[1:2] if part in rooms}


@pytest.mark.parametrize("room", _KNOWS)
def test_rooms_know_of_those_before_them_alone(room: str) -> None:
    """From the socket to the broker, no room imports one that comes after it."""
    assert imported(room) == _KNOWS[room]
