"""The store in production, deployed and destroyed by the real command line."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from contract.deployment import UNNAMED
from contract.names import (
    DEVICES_OUTPUT,
    ERROR_QUEUE_OUTPUT,
    FAILURE_QUEUE_OUTPUT,
    TABLE_OUTPUT,
)
from lab.aws.cdk import CdkError, cdk, settings_option, write_settings
from lab.aws.server import local_aws

pytestmark = pytest.mark.aws

PRODUCTION = f"--app={sys.executable} -m tests.end_to_end.production_app"


@dataclass(frozen=True)
class Operator:
    """Who runs `cdk` on the store, with these options."""

    options: Sequence[str]

    def deploy(self, *more: str) -> None:
        """Deploy the store without being asked."""
        cdk(
            os.environ,
            "deploy",
            UNNAMED.store_stack,
            "--require-approval=never",
            *self.options,
            *more,
        )

    def destroy(self, *more: str) -> None:
        """Destroy the store without being asked."""
        cdk(os.environ, "destroy", UNNAMED.store_stack, "--force", *self.options, *more)


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """Start a local AWS with nothing deployed; return who deploys there."""
    with local_aws(tmp_path) as aws:
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        settings = settings_option(write_settings(tmp_path, {}))
        options = ["--no-notices", f"--output={tmp_path}/cdk.out", settings]
        cdk(os.environ, "bootstrap", *options)
        yield Operator(options)


def outputs() -> dict[str, str]:
    """Return the outputs of the store, which is deployed."""
    (stack,) = (
        boto3.Session()
        .client("cloudformation")
        .describe_stacks(StackName=UNNAMED.store_stack)["Stacks"]
    )
    assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def names(outputs: dict[str, str]) -> set[str]:
    """Return the names of the tables and queues of a store."""
    tables = {outputs[each] for each in (TABLE_OUTPUT, DEVICES_OUTPUT)}
    queues = (outputs[each] for each in (ERROR_QUEUE_OUTPUT, FAILURE_QUEUE_OUTPUT))
    return tables | {url.rpartition("/")[2] for url in queues}


def existing() -> set[str]:
    """Return the names of all tables and queues of the account."""
    session = boto3.Session()
    tables = session.client("dynamodb").list_tables()["TableNames"]
    queues = session.client("sqs").list_queues().get("QueueUrls", [])
    return {*tables, *(url.rpartition("/")[2] for url in queues)}


def test_a_first_deployment_that_fails_half_way_succeeds_the_next_time(operator: Operator) -> None:
    """It leaves no table or queue behind, and nobody has to delete its stack by hand."""
    with pytest.raises(CdkError, match="metric math"):
        operator.deploy()  # the local AWS refuses alarms that are queries, after the data is there
    assert existing() == set()
    operator.deploy(PRODUCTION)
    assert existing() == names(outputs())


def test_a_store_is_destroyed_only_when_unprotected_and_its_data_stays(operator: Operator) -> None:
    """While `protected` is true, destroying is refused; after that, tables and queues are kept."""
    protected = "--context=protected=true"
    operator.deploy(PRODUCTION, protected)
    with pytest.raises(CdkError, match="TerminationProtection is enabled"):
        operator.destroy(PRODUCTION, protected)
    operator.deploy(PRODUCTION)
    data = names(outputs())
    operator.destroy(PRODUCTION)
    assert data <= existing()
