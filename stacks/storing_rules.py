"""The AWS IoT rules that write uplinks and events to the table, and failures to the queue."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.deployment import Deployment
from contract.names import EXPIRY_ATTRIBUTE, PARTITION_KEY, event_partition
from stacks.encryption import Encryption
from stacks.trust import trusted_iot

_SECONDS_PER_DAY = 86_400
_DEVICE = "(topic(2) + '/') + topic(3)"
"""Joined from the topic's own levels: replacing ``lora/`` in the topic would also change an
application called ``lora``."""


class StoringRules(Construct):
    """All that bridges tell goes to ``table``; what cannot be written goes to ``errors``.

    There is a rule of ``uplinks``, and one of ``events``, whose rows are in other partitions.
    """

    def __init__(  # noqa: PLR0913  # it joins what others declare
        self,
        scope: Construct,
        construct_id: str,
        deployment: Deployment,
        *,
        table: dynamodb.ITableV2,
        errors: sqs.IQueue,
        encryption: Encryption,
        retention_days: int | None,
    ) -> None:
        super().__init__(scope, construct_id)
        put = _allow("dynamodb:PutItem", table.table_arn)
        send = _allow("sqs:SendMessage", errors.queue_arn)
        writer = self._role("Writer", [put, *encryption.writing_tables()])
        reporter = self._role("ErrorReporter", [send, *encryption.sending_to_queues()])
        self._actions = [_put_item(writer, table)]
        self._error_action = _send_message(reporter, errors)
        self.uplinks = self._rule("Rule", "uplinks", uplink_sql(deployment, retention_days))
        self.events = self._rule("EventRule", "events", event_sql(deployment, retention_days))

    def _rule(self, construct_id: str, what: str, sql: str) -> iot.CfnTopicRule:
        return iot.CfnTopicRule(
            self,
            construct_id,
            topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                description=f"Stores LoRaWAN {what} in DynamoDB",
                aws_iot_sql_version="2016-03-23",
                sql=sql,
                actions=self._actions,
                error_action=self._error_action,
            ),
        )

    def _role(self, construct_id: str, statements: list[iam.PolicyStatement]) -> iam.Role:
        """Make a role for the rules of this account and region, with these rights."""
        return iam.Role(
            self,
            construct_id,
            assumed_by=trusted_iot("rule/*"),
            inline_policies={"Grant": iam.PolicyDocument(statements=statements)},
        )


def _allow(action: str, resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[action], resources=[resource])


def uplink_sql(deployment: Deployment, retention_days: int | None) -> str:
    """Return the SQL of the rule of uplinks: the payload's fields, the device, and the expiry."""
    return _sql(deployment.uplink_topic("+/+"), _DEVICE, retention_days)


def event_sql(deployment: Deployment, retention_days: int | None) -> str:
    """Return the SQL of the rule of events: the same, in the partition of the device's events."""
    partition = f"({_DEVICE}) + '{event_partition('')}'"
    return _sql(deployment.event_topic("+/+", "+"), partition, retention_days)


def _sql(topics: str, partition: str, retention_days: int | None) -> str:
    columns = ["*", f"{partition} AS {PARTITION_KEY}"]
    if retention_days is not None:
        kept = retention_days * _SECONDS_PER_DAY
        columns.append(f"timestamp() / 1000 + {kept} AS {EXPIRY_ATTRIBUTE}")
    return f"SELECT {', '.join(columns)} FROM '{topics}'"  # noqa: S608  # names of this project


def _put_item(role: iam.Role, table: dynamodb.ITableV2) -> iot.CfnTopicRule.ActionProperty:
    return iot.CfnTopicRule.ActionProperty(
        dynamo_d_bv2=iot.CfnTopicRule.DynamoDBv2ActionProperty(
            role_arn=role.role_arn,
            put_item=iot.CfnTopicRule.PutItemInputProperty(table_name=table.table_name),
        )
    )


def _send_message(role: iam.Role, queue: sqs.IQueue) -> iot.CfnTopicRule.ActionProperty:
    return iot.CfnTopicRule.ActionProperty(
        sqs=iot.CfnTopicRule.SqsActionProperty(
            role_arn=role.role_arn, queue_url=queue.queue_url, use_base64=False
        )
    )
