"""A deployment that may be broken, and a configuration that may be changed."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from lab.aws.cdk import deploy, write_settings
from lab.aws.host import Host
from lab.aws.server import local_aws
from lab.rig.running_bridge import RunningBridge, running_bridge
from tests.end_to_end.checked import Configured
from tests.end_to_end.conftest import BRIDGE, OTHER_BRIDGE

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient


@pytest.fixture(scope="package")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Deploy to a local AWS of these tests' own, and enroll two bridges."""
    folder = tmp_path_factory.mktemp("check")
    with local_aws(folder) as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        host = Host(aws, folder)
        requests = {name: str(host.keygen(name)) for name in (BRIDGE, OTHER_BRIDGE)}
        context = {"environment": "development", "bridges": requests}
        deploy(os.environ, folder / "cdk.out", write_settings(folder, context))
        for name in (BRIDGE, OTHER_BRIDGE):
            host.enroll(name)
        shutil.copy(folder / "bridge.toml", folder / "as-enrolled.toml")
        yield host


@pytest.fixture
def iot(host: Host) -> "IoTClient":
    """Return a client of AWS IoT."""
    del host  # deployed
    return boto3.client("iot")


@pytest.fixture
def config(host: Host, tmp_path: Path) -> Configured:
    """Return a configuration with a spool, a port and certificates of a test's own."""
    return Configured(host, tmp_path)


@pytest.fixture
def bridge(config: Configured) -> Iterator[tuple[RunningBridge, Path]]:
    """Run the bridge; return it with its configuration."""
    path = config()
    with running_bridge(path) as running:
        running.says("ready: ")
        running.says("ready for downlinks")
        yield running, path
