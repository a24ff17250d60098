"""The spool that the tests of downlinks have."""

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name the spool."""
    return tmp_path / "spool.db"
