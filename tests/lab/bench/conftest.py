"""One Mosquitto for all tests of the bench."""

import sys
from collections.abc import Iterator

import pytest

from lab.rig.mosquitto import Mosquitto, mosquitto

if sys.platform != "linux":  # the bench reads /proc, and says so itself
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Start the broker, or fail with how to install it."""
    with mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        yield broker
