"""What comes at the bridge, and how fast it may go on."""

from pathlib import Path

import pytest

from lab.soak.scenarios.hostile import hostile
from lab.soak.scenarios.long_run import long_run
from lab.soak.scenarios.quotas import quotas

pytestmark = pytest.mark.broker


def test_hostile(tmp_path: Path) -> None:
    """Hundreds of connections of garbage take neither memory nor a network server's place."""
    done = hostile(tmp_path, print, connections=300, seconds=3)
    assert done.problems == (), done
    assert done.delivered == done.sent > 300


def test_quotas(tmp_path: Path) -> None:
    """Four connections publish four hundred a second, none of them more than a hundred."""
    done = quotas(tmp_path, print, seconds=6)
    assert done.problems == (), done


def test_long_run(tmp_path: Path) -> None:
    """Under faults at random nothing committed is lost, and nothing grows."""
    done = long_run(tmp_path, print, minutes=0.4)
    assert done.problems == (), done
    assert done.rows is None
