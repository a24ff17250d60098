"""What all functions have in common."""

from typing import TypedDict

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.encryption import Encryption


class Running(TypedDict):
    """How Lambda runs a function, and what it logs by itself."""

    runtime: lambda_.Runtime
    architecture: lambda_.Architecture
    logging_format: lambda_.LoggingFormat
    system_log_level_v2: lambda_.SystemLogLevel


RUNNING = Running(
    runtime=lambda_.Runtime.PYTHON_3_14,  # that of the libraries: see the Makefile
    architecture=lambda_.Architecture.ARM_64,
    # Not the lines for each call, which cost more than the call.
    logging_format=lambda_.LoggingFormat.JSON,
    system_log_level_v2=lambda_.SystemLogLevel.WARN,
)


def log_of(scope: Construct, encryption: Encryption) -> logs.LogGroup:
    """Make the log of a function, which no data is in that is not elsewhere."""
    return logs.LogGroup(
        scope,
        "Log",
        encryption_key=encryption.key,
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=RemovalPolicy.DESTROY,
    )


def allow(resource: str, *actions: str) -> iam.PolicyStatement:
    """Return the right to do some things with one resource."""
    return iam.PolicyStatement(actions=list(actions), resources=[resource])


def allow_logging(log: logs.LogGroup) -> iam.PolicyStatement:
    """Return the right to write to a log."""
    return allow(log.log_group_arn, "logs:CreateLogStream", "logs:PutLogEvents")
