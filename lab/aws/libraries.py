"""The decoder's libraries as this machine has them: the local AWS runs functions right here."""

import shutil
from importlib.metadata import files
from pathlib import Path

_DISTRIBUTIONS = ("msgspec", "quickjs-ng", "tree-sitter", "tree-sitter-javascript")


def copy_libraries(folder: Path) -> Path:
    """Copy what is installed to ``folder``; return it."""
    for distribution in _DISTRIBUTIONS:
        for path in files(distribution) or ():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path.locate(), target)
    return folder
