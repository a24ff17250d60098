"""AWS IoT's own logging: apart, since an account has one setting of it for each region."""

from aws_cdk import Acknowledgment, ArnFormat, Aws, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from constructs import Construct

from contract.deployment import Deployment
from contract.settings import LogLevel

_GROUP = "AWSIotLogsV2"
"""Where AWS IoT logs to, whatever one would like (AWS IoT Developer Guide, "Logging")."""


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
            assumed_by=iam.ServicePrincipal(
                "iot.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
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
