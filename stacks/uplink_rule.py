"""The AWS IoT rule that writes uplinks to the table, and failures to the queue."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.deployment import Deployment
from contract.names import EXPIRY_ATTRIBUTE, PARTITION_KEY
from stacks.encryption import Encryption
from stacks.trust import trusted_iot

_SECONDS_PER_DAY = 86_400


class UplinkRule(Construct):
    """All uplinks of a deployment go to ``table``; what cannot be written goes to ``errors``."""

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
        self.rule = iot.CfnTopicRule(
            self,
            "Rule",
            topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                description="Stores LoRaWAN uplinks in DynamoDB",
                aws_iot_sql_version="2016-03-23",
                sql=uplink_sql(deployment, retention_days),
                actions=[_put_item(writer, table)],
                error_action=_send_message(reporter, errors),
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
    """Return the rule's SQL: the payload's fields, the device, and the expiry if any.

    The device is joined from the topic's own levels: replacing ``lora/`` in the topic would
    also change an application called ``lora``.
    """
    device = f"(topic(2) + '/') + topic(3) AS {PARTITION_KEY}"
    columns = ["*", device]
    if retention_days is not None:
        kept = retention_days * _SECONDS_PER_DAY
        columns.append(f"timestamp() / 1000 + {kept} AS {EXPIRY_ATTRIBUTE}")
    uplinks = deployment.uplink_topic("+/+")
    return f"SELECT {', '.join(columns)} FROM '{uplinks}'"  # noqa: S608  # names of this project


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
