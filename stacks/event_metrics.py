"""Counts the events that need a person, for alarms: CloudWatch knows nothing of what they say."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from constructs import Construct

from contract.deployment import Deployment
from contract.downlinks import State
from contract.names import BRIDGE_APPLICATION, EventType
from stacks.counting import acknowledge_counting, allow_counting
from stacks.trust import trusted_iot

DOWNLINKS_FAILED, GAPS = "DownlinksFailed", "Gaps"
"""The names of the metrics, which count by one."""
_BAD_ENDS = (State.FAILED, State.UNKNOWN)


class EventMetrics(Construct):
    """Rules that count, in the deployment's own ``namespace`` of CloudWatch."""

    def __init__(self, scope: Construct, construct_id: str, deployment: Deployment) -> None:
        super().__init__(scope, construct_id)
        self.namespace = deployment.metric_namespace
        self._role = self._counter()
        bad = " OR ".join(f"state = '{each}'" for each in _BAD_ENDS)
        downlinks = deployment.event_topic("+/+", EventType.DOWNLINK)
        self._rule(DOWNLINKS_FAILED, f"SELECT state FROM '{downlinks}' WHERE {bad}")  # noqa: S608
        gaps = deployment.event_topic(f"{BRIDGE_APPLICATION}/+", EventType.GAP)
        self._rule(GAPS, f"SELECT what FROM '{gaps}'")  # noqa: S608  # names of this project

    def _counter(self) -> iam.Role:
        """Make the role of the rules, which may count in the namespace."""
        statement = allow_counting(self.namespace)
        role = iam.Role(
            self,
            "Counter",
            assumed_by=trusted_iot("rule/*"),
            inline_policies={"Grant": iam.PolicyDocument(statements=[statement])},
        )
        acknowledge_counting(role)
        return role

    def _rule(self, metric: str, sql: str) -> None:
        counting = iot.CfnTopicRule.CloudwatchMetricActionProperty(
            metric_name=metric,
            metric_namespace=self.namespace,
            metric_unit="Count",
            metric_value="1",
            role_arn=self._role.role_arn,
        )
        iot.CfnTopicRule(
            self,
            metric,
            topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                description="Counts LoRaWAN events that need a person",
                aws_iot_sql_version="2016-03-23",
                sql=sql,
                actions=[iot.CfnTopicRule.ActionProperty(cloudwatch_metric=counting)],
            ),
        )
