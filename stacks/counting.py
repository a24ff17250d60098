"""The right to count in one namespace of CloudWatch."""

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam


def allow_counting(namespace: str) -> iam.PolicyStatement:
    """Return the right to write metrics of a namespace."""
    return iam.PolicyStatement(
        actions=["cloudwatch:PutMetricData"],
        resources=["*"],
        conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
    )


def acknowledge_counting(role: iam.Role) -> None:
    """Say why a role with this right names no resource."""
    Validations.of(role).acknowledge(
        Acknowledgment(
            id="AwsSolutions-IAM5[Resource::*]",
            reason="PutMetricData has no resources: its condition names the one namespace.",
        )
    )
