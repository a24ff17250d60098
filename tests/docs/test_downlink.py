"""The example for people who write their own senders, before a bridge on a real broker."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.aws.cdk import PROJECT
from lab.soak.site import Site, site
from tests.bridge.downlinks.test_way import NAME, at_work

pytestmark = pytest.mark.broker

_LIMIT = 30.0  # seconds
_SCRIPT = PROJECT / "docs" / "examples" / "downlink.py"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """Prepare what a bridge needs, with downlinks."""
    with site(tmp_path, {"downlinks": {"answers_within": 1}}) as found:
        yield found


def test_a_downlink_is_followed_to_its_end(place: Site) -> None:
    """Each of its states is printed, and the exit status is 0 when it was acknowledged."""
    folder = place.config.parent
    command = [sys.executable, str(_SCRIPT), "localhost", "client", NAME]
    command += ["--port", str(place.link.target), "--root-ca", "ca.pem"]
    with (
        at_work(place) as (_bridge, server),
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as script,
    ):
        (taken,) = server.has_taken(1)
        server.sent(taken)
        server.acknowledged(taken)
        said, _ = script.communicate(timeout=_LIMIT)
    assert [line.split()[1] for line in said.splitlines()] == [
        *("accepted", "submitted", "sent", "acknowledged"),
    ]
    assert script.returncode == 0
