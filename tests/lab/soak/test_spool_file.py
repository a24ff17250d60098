"""What happens to the spool's files, before a start or under a bridge, costs little and is said."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.soak.result import Result
from lab.soak.scenarios.spool_file import damaged_log, emptied, removed
from lab.soak.scenarios.unread import unread

pytestmark = pytest.mark.broker


@pytest.mark.parametrize("scenario", [damaged_log, emptied, removed, unread])
def test_scenario(
    tmp_path: Path, scenario: Callable[[Path, Callable[[str], None]], Result]
) -> None:
    """Each keeps its promises."""
    done = scenario(tmp_path, print)
    assert done.problems == (), done
