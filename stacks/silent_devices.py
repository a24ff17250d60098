"""The function that tells people, every few minutes, which devices have fallen silent."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from contract.names import (
    DEPLOYMENT_VARIABLE,
    DEVICES_VARIABLE,
    TABLE_VARIABLE,
    TOPIC_VARIABLE,
)
from contract.silence import WATCHED_EVERY
from stacks.counting import acknowledge_counting, allow_counting
from stacks.decoder import Backing
from stacks.functions import RUNNING, allow, allow_logging, log_of
from stacks.settings import Silence
from stacks.silence_code import silence_code
from stacks.trust import trusted_lambda

_MEMORY = 1024  # MiB, with 0.58 of a CPU: a list of a million devices takes 22 s of a whole one
_PERIOD = Duration.seconds(WATCHED_EVERY // 1_000_000)
_TIME = Duration.seconds(_PERIOD.to_seconds() - 30)  # a run is over when the next one begins


class SilentDevices(Construct):
    """Clock → function → topic; it reads the list of devices, and a few of their uplinks."""

    def __init__(
        self, scope: Construct, construct_id: str, silence: Silence, backing: Backing
    ) -> None:
        super().__init__(scope, construct_id)
        log = log_of(self, backing.encryption)
        deployment = backing.deployment
        function = lambda_.Function(
            self,
            "Function",
            description="Tells which LoRaWAN devices have fallen silent",
            code=silence_code(silence),
            handler="silence.handler.handle",
            memory_size=_MEMORY,
            timeout=_TIME,
            retry_attempts=0,  # the next run does what this one could not
            max_event_age=_PERIOD,
            environment={
                TABLE_VARIABLE: backing.uplinks.table_name,
                DEVICES_VARIABLE: backing.devices.table_name,
                TOPIC_VARIABLE: silence.topic_arn,
                **({DEPLOYMENT_VARIABLE: deployment.name} if deployment.name else {}),
            },
            log_group=log,
            role=self._role(silence, backing, log),
            **RUNNING,
        )
        events.Rule(
            self,
            "Clock",
            description="Lets LoRaWAN devices that have fallen silent be told",
            schedule=events.Schedule.rate(_PERIOD),
            targets=[targets.LambdaFunction(function, retry_attempts=0)],
        )

    def _role(self, silence: Silence, backing: Backing, log: logs.LogGroup) -> iam.IRole:
        statements = [
            allow(backing.uplinks.table_arn, "dynamodb:Query"),
            allow(backing.devices.table_arn, "dynamodb:Query", "dynamodb:UpdateItem"),
            allow(silence.topic_arn, "sns:Publish"),
            allow_counting(backing.deployment.metric_namespace),
            allow_logging(log),
            *backing.encryption.writing_tables(),
        ]
        role = iam.Role(
            self,
            "Role",
            assumed_by=trusted_lambda(),
            inline_policies={"Grant": iam.PolicyDocument(statements=statements)},
        )
        acknowledge_counting(role)
        return role.without_policy_updates()
