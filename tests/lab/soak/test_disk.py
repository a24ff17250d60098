"""What happens to the disk, the spool's file and the clock is survived, and said."""

import os
from pathlib import Path

import pytest

from lab.soak.scenarios.disk import clock_back, damaged, full, refusals

pytestmark = pytest.mark.broker


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_full(tmp_path: Path) -> None:
    """On a full disk nothing is lost: reading waits, and all arrives when there is room again."""
    done = full(tmp_path, print)
    assert done.problems == (), done
    assert done.delivered == done.sent > 5000


def test_damaged(tmp_path: Path) -> None:
    """A damaged page of the spool costs the frames on it, and the bridge runs on."""
    done = damaged(tmp_path, print)
    assert done.problems == (), done
    assert done.delivered < done.committed


def test_refusals(tmp_path: Path) -> None:
    """A spool in use or of another version is refused in one line, and not touched."""
    done = refusals(tmp_path, print)
    assert done.problems == (), done


def test_clock_back(tmp_path: Path) -> None:
    """A clock that goes back an hour is said, and loses and disorders nothing."""
    done = clock_back(tmp_path, print)
    assert done.problems == (), done
