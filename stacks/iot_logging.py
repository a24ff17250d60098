"""AWS IoT's own logging: apart, since an account has one setting of it for each region.

To remove the stack sets that to DISABLED: AWS IoT then logs nothing at all, whoever else relied on
it (the resource type ``AWS::IoT::Logging`` does that when it is deleted).
"""

from aws_cdk import Acknowledgment, ArnFormat, Aws, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from constructs import Construct

from contract.deployment import Deployment
from contract.settings import LogLevel
from stacks.trust import trusted_iot

_GROUP = "AWSIotLogsV2"
"""Where AWS IoT logs to. Single types of events can be sent to other groups by now, with the
property ``EventConfigurations``; this stack leaves them all here."""


_ACTIONS = [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "logs:PutMetricFilter",
    "logs:PutRetentionPolicy",
]


class IotLoggingStack(Stack):
    """The level of AWS IoT's log, and the role that lets it write it."""

    def __init__(self, scope: Construct, deployment: Deployment, level: LogLevel) -> None:
        super().__init__(
            scope,
            deployment.logging_stack,
            description="The log of AWS IoT, of this account and region",
        )
        group = self.format_arn(
            service="logs",
            resource="log-group",
            resource_name=_GROUP,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        statement = iam.PolicyStatement(actions=_ACTIONS, resources=[group, f"{group}:*"])
        role = iam.Role(
            self,
            "Role",
            # Its documents say that all its ARNs are of this account, not which one it sends here.
            assumed_by=trusted_iot("*"),
            inline_policies={"Log": iam.PolicyDocument(statements=[statement])},
        )
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>"
                f":<AWS::AccountId>:log-group:{_GROUP}:*]",
                reason="AWS IoT makes the streams of its one log group, and names them.",
            )
        )
        iot.CfnLogging(
            self,
            "Logging",
            account_id=Aws.ACCOUNT_ID,
            default_log_level=level,
            role_arn=role.role_arn,
        )
