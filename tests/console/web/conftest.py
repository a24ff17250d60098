"""One Chromium and one local AWS for the pages; each test has a deployment of its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from contract.deployment import Deployment
from lab.aws.bare_store import BareStore
from lab.aws.server import LocalAws, led_to, local_aws
from lab.rig.browser import Visit, chromium, visit
from lab.rig.running_web import RunningWeb, running_web

_numbers = count(1)


class Windows:
    """Opens pages, each in a browser of its own, until the test ends."""

    def __init__(self, browser: Browser, stack: ExitStack) -> None:
        self.visits: list[Visit] = []
        self._browser = browser
        self._stack = stack

    def open(
        self,
        address: str,
        size: tuple[int, int] = (1280, 800),
        scheme: Literal["light", "dark"] = "light",
    ) -> Visit:
        """Open an address as ``visit`` does."""
        found = self._stack.enter_context(visit(self._browser, address, size, scheme))
        self.visits.append(found)
        return found


@pytest.fixture(scope="package")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """Start a local AWS, and lead this process's SDK to it by its ordinary settings."""
    with local_aws(tmp_path_factory.mktemp("aws")) as aws, led_to(aws.environment()):
        yield aws


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start Chromium, or fail with how to install it."""
    with chromium() as browser:
        yield browser


@contextmanager
def deployed() -> Iterator[BareStore]:
    """Make the tables of a deployment in the local AWS, until the context ends."""
    store = BareStore(Deployment(f"web{next(_numbers)}"))
    store.deploy()
    yield store
    store.destroy()


def leading(aws: LocalAws, store: BareStore) -> dict[str, str]:
    """Return what leads a command to a deployment."""
    return aws.environment() | {"LORA_DEPLOYMENT": store.deployment.name}


@pytest.fixture
def store(aws: LocalAws) -> Iterator[BareStore]:
    """Make the tables of a deployment for a test."""
    del aws  # running
    with deployed() as store:
        yield store


@pytest.fixture
def environment(aws: LocalAws, store: BareStore) -> dict[str, str]:
    """Return what leads a command to the test's deployment."""
    return leading(aws, store)


@pytest.fixture
def web(environment: dict[str, str], tmp_path: Path) -> Iterator[RunningWeb]:
    """Serve the pages of the deployment."""
    with running_web(environment, tmp_path) as web:
        yield web


@pytest.fixture
def windows(browser: Browser) -> Iterator[Windows]:
    """Open pages; none of them may complain of anything that the test does not expect."""
    with ExitStack() as stack:
        windows = Windows(browser, stack)
        yield windows
        complaints = [complaint for each in windows.visits for complaint in each.complaints]
    assert complaints == []
