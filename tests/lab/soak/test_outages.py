"""The broker goes away, and comes back."""

from pathlib import Path

import pytest

from lab.soak.scenarios.outages import outages

pytestmark = pytest.mark.broker


def test_outages(tmp_path: Path) -> None:
    """Closed, swallowed or unanswered, the link's end is noticed, and its return used soon."""
    done = outages(tmp_path, print, seconds=4, max_backoff=6)
    assert done.problems == ()
    assert done.delivered == done.committed == done.sent > 5000
