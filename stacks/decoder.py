"""The function that decodes what the table's stream brings."""

from dataclasses import dataclass

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.deployment import Deployment
from contract.names import (
    DECODED_BY,
    DEPLOYMENT_VARIABLE,
    DEVICES_VARIABLE,
    EVENT_TYPE,
    LIVE_VARIABLE,
    PARTITION_KEY,
    TABLE_VARIABLE,
)
from stacks.decoder_code import decoder_code
from stacks.encryption import Encryption
from stacks.functions import RUNNING, allow, allow_logging, log_of
from stacks.settings import Decoding
from stacks.trust import trusted_lambda

_MEMORY = 512  # MiB: less memory has less CPU, too, and an uplink may take 200 ms of a whole one
_BATCH = 100  # uplinks
_TIME = Duration.minutes(5)  # a batch of codecs that all must be ended, with a third of a CPU
_UNTIL = Duration.hours(23)  # old: the stream keeps a record for 24
_SIDE_BY_SIDE = 10  # batches of a shard, the most that Lambda allows; each row keeps its order
_OPEN = {
    "dynamodb": {
        "NewImage": {
            PARTITION_KEY: {"S": [{"exists": True}]},  # no row that was deleted
            DECODED_BY: {"S": [{"exists": False}]},
            EVENT_TYPE: {"S": [{"exists": False}]},
        }
    }
}
"""Uplinks that are not decoded: not the decoder's own writing, nor events. Only what is under
``dynamodb`` can be looked at, and whether something exists only of scalars (AWS Lambda Developer
Guide, "Using event filtering with a DynamoDB event source")."""


@dataclass(frozen=True)
class Backing:
    """What the decoder works on, and for whom; where its failures end, and what encrypts them."""

    deployment: Deployment
    uplinks: dynamodb.TableV2
    devices: dynamodb.TableV2
    failures: sqs.Queue
    encryption: Encryption


class Decoder(Construct):
    """Stream → function → the same rows, and the list of devices."""

    def __init__(
        self, scope: Construct, construct_id: str, decoding: Decoding, backing: Backing
    ) -> None:
        super().__init__(scope, construct_id)
        log = log_of(self, backing.encryption)
        environment = {
            TABLE_VARIABLE: backing.uplinks.table_name,
            DEVICES_VARIABLE: backing.devices.table_name,
            **({LIVE_VARIABLE: "1"} if decoding.published else {}),
            **({DEPLOYMENT_VARIABLE: backing.deployment.name} if backing.deployment.name else {}),
        }
        self.function = lambda_.Function(
            self,
            "Function",
            description="Decodes LoRaWAN uplinks",
            code=decoder_code(decoding),
            handler="decoder.handler.handle",
            memory_size=_MEMORY,
            timeout=_TIME,
            environment=environment,
            log_group=log,
            role=self._role(
                _statements(backing, log), backing.deployment, published=decoding.published
            ),
            **RUNNING,
        )
        lambda_.EventSourceMapping(
            self,
            "Stream",
            target=self.function,
            event_source_arn=backing.uplinks.table_stream_arn,
            # Also what was stored while this was being deployed.
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=_BATCH,
            max_batching_window=Duration.seconds(decoding.within),
            parallelization_factor=_SIDE_BY_SIDE,
            bisect_batch_on_error=True,
            report_batch_item_failures=True,
            retry_attempts=-1,  # no limit
            max_record_age=_UNTIL,
            on_failure=event_sources.SqsDlq(backing.failures),
            filters=[lambda_.FilterCriteria.filter(_OPEN)],
        )

    def _role(
        self, statements: list[iam.PolicyStatement], deployment: Deployment, *, published: bool
    ) -> iam.IRole:
        """Make a role with these rights, and that to publish readings where they are."""
        topics = deployment.decoded_topic("*/*")
        if published:
            topic = Stack.of(self).format_arn(service="iot", resource="topic", resource_name=topics)
            statements = [*statements, allow(topic, "iot:Publish")]
        role = iam.Role(
            self,
            "Role",
            assumed_by=trusted_lambda(),
            inline_policies={"Grant": iam.PolicyDocument(statements=statements)},
        )
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>"
                f":<AWS::AccountId>:topic/{topics}]",
                reason="Readings of every device are published, each under the device's own topic.",
            )
        )
        return role.without_policy_updates()


def _statements(backing: Backing, log: logs.LogGroup) -> list[iam.PolicyStatement]:
    return [
        allow(backing.uplinks.table_arn, "dynamodb:UpdateItem"),
        allow(backing.devices.table_arn, "dynamodb:GetItem", "dynamodb:UpdateItem"),
        allow(
            str(backing.uplinks.table_stream_arn),
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ),
        allow(backing.failures.queue_arn, "sqs:SendMessage"),
        allow_logging(log),
        *backing.encryption.writing_tables(),  # sending to the queue takes a part of them
    ]
