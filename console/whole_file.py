"""Writes files of keys and certificates whole: with all of their content, or not at all."""

import os
from pathlib import Path


def part_of(path: Path, content: bytes, mode: int) -> Path:
    """Write ``content``, durably, to a file that is to take the name of ``path``; return it.

    It has its mode from the first moment.
    """
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    return part
