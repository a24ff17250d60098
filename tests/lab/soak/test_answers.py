"""What the broker says, or does not say, loses nothing."""

from pathlib import Path

import pytest

from lab.soak.scenarios.answers import crowded, hung_up, refused, withheld

pytestmark = pytest.mark.broker


def test_withheld(tmp_path: Path) -> None:
    """When no PUBACK comes, the bridge connects anew, and nothing is lost or out of order."""
    done = withheld(tmp_path, print)
    assert done.problems == (), done
    assert done.lost == done.out_of_order == 0


def test_refused(tmp_path: Path) -> None:
    """Throttled or refused, all arrives once it is allowed, and others are not held up."""
    done = refused(tmp_path, print, seconds=3)
    assert done.problems == (), done
    assert done.delivered == done.sent > 1000


def test_crowded(tmp_path: Path) -> None:
    """What is refused takes no room from the others, and costs only itself."""
    done = crowded(tmp_path, print, seconds=2)
    assert done.problems == (), done
    assert done.lost > 0


def test_hung_up(tmp_path: Path) -> None:
    """A message at which the broker hangs up is set aside, and the others arrive in order."""
    done = hung_up(tmp_path, print)
    assert done.problems == (), done
    assert done.lost == 1
