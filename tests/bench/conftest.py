"""One Mosquitto for all tests of the bench."""

from collections.abc import Iterator

import pytest

from bench.mosquitto import Mosquitto, mosquitto


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Start the broker, or fail with how to install it."""
    with mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        yield broker
