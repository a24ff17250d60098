"""What all tests need before anything is imported."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# The CDK runs on the Node.js that is installed beside this Python.
os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


# How long an example takes says nothing where others use the same cores.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, in one process, what shares a server or looks at the clock."""
    lab = Path(__file__).parent / "lab"
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))  # one Chromium, one local AWS
        elif item.get_closest_marker("aws"):
            item.add_marker(pytest.mark.xdist_group("aws"))  # one local AWS, deployed to once
        elif item.path.is_relative_to(lab):
            item.add_marker(pytest.mark.xdist_group("lab"))  # one broker, and measurements
