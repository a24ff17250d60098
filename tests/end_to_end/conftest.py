"""One local AWS with the real stacks deployed, for all end-to-end tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from console.store.history import table_name
from contract.deployment import UNNAMED
from lab.aws.cdk import deploy, write_settings
from lab.aws.host import Host
from lab.aws.server import LocalAws, led_to, local_aws
from lab.rig.network_server import APPLICATION

BRIDGE, OTHER_BRIDGE, CONSUMER = "network-host-1", "network-host-2", "reader"
SENDER = "valves"
"""A consumer that may ask for downlinks to the devices of one application."""
_NAMES = (BRIDGE, CONSUMER, OTHER_BRIDGE, SENDER)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """Start the local AWS, and lead this process's SDK to it by its ordinary settings."""
    with local_aws(tmp_path_factory.mktemp("aws")) as aws, led_to(aws.environment()):
        yield aws


@pytest.fixture(scope="session")
def keys(aws: LocalAws) -> Host:
    """Make everyone's keys."""
    host = Host(aws, aws.folder)
    for name in _NAMES:
        host.keygen(name)
    return host


@pytest.fixture(scope="session")
def context(keys: Host) -> dict[str, object]:
    """Return the settings that are deployed."""
    requests = {name: str(keys.folder / f"{name}.csr") for name in _NAMES}
    return {
        "environment": "development",
        "retention_days": 30,
        "codecs": str(Path(__file__).parent / "codecs"),
        "publish_decoded": True,
        "bridges": {name: requests[name] for name in (BRIDGE, OTHER_BRIDGE)},
        "basic_ingest": [OTHER_BRIDGE],
        "consumers": {name: requests[name] for name in (CONSUMER, SENDER)},
        "senders": {SENDER: [APPLICATION]},
    }


@pytest.fixture(scope="session")
def host(keys: Host, context: dict[str, object]) -> Host:
    """Deploy the stacks and enroll everyone, as an operator does."""
    deploy(os.environ, keys.folder / "cdk.out", write_settings(keys.folder, context))
    for name in _NAMES:
        keys.enroll(name)
    return keys


@pytest.fixture(scope="session")
def table(host: Host) -> str:
    """Return the name of the deployed table."""
    del host  # deployed
    return table_name(UNNAMED)


@pytest.fixture(scope="session")
def function(host: Host) -> str:
    """Return the name of the deployed function."""
    del host  # deployed
    resources = boto3.client("cloudformation").describe_stack_resources(StackName="LoraStore")
    (name,) = [
        each["PhysicalResourceId"]
        for each in resources["StackResources"]
        if each["ResourceType"] == "AWS::Lambda::Function"
    ]
    return name


@pytest.fixture
def application(request: pytest.FixtureRequest) -> str:
    """Return an AppEUI of this test's own, so that tests do not see each other's uplinks."""
    return f"{abs(hash(request.node.nodeid)):x}"


@pytest.fixture
def spool(tmp_path: Path) -> dict[str, str]:
    """Return the change to a configuration that gives a test a spool of its own."""
    return {'path = "spool.db"': f'path = "{tmp_path}/spool.db"'}
