"""The soak's scenarios that want a table, in a short form."""

from pathlib import Path

import pytest

from lab.aws.host import Host
from lab.soak.backend import Backend
from lab.soak.scenarios.kills import kills
from lab.soak.scenarios.pair import pair
from tests.end_to_end.conftest import BRIDGE, CONSUMER, OTHER_BRIDGE

pytestmark = pytest.mark.aws


@pytest.fixture
def backend(host: Host, table: str, application: str) -> Backend:
    """Return the local AWS as a scenario's backend."""
    return Backend(host, table, (BRIDGE, OTHER_BRIDGE), CONSUMER, application)


def test_kills(backend: Backend, tmp_path: Path) -> None:
    """Killed at random moments, the bridge loses nothing committed, and no row is doubled."""
    done = kills(backend, tmp_path, print, count=3)
    assert done.problems == (), done
    assert done.rows == done.delivered >= done.committed > 200


def test_pair(backend: Backend, tmp_path: Path) -> None:
    """Two bridges that get the same frames make one row of each, also when one of them ends."""
    done = pair(backend, tmp_path, print, seconds=4)
    assert done.problems == ()
    assert done.rows == done.sent == done.delivered > 600
    assert done.published > done.delivered
