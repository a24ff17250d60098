"""A table that is another, or is gone: the last of these tests, since nothing brings it back."""

import copy
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from console.deployment import stack_outputs
from contract.deployment import UNNAMED
from contract.names import ERROR_QUEUE_OUTPUT, RULE_OUTPUT, TABLE_OUTPUT
from lab.aws.delivery import accept_plain_delivery
from lab.rig.running_bridge import RunningBridge
from tests.end_to_end.check.in_aws import payload_of
from tests.end_to_end.checked import check

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

pytestmark = pytest.mark.aws


def test_a_rule_for_another_table(bridge: tuple[RunningBridge, Path], iot: "IoTClient") -> None:
    """A rule that cannot store: what it says of the test uplink is told, and taken away."""
    (name, queue) = stack_outputs(UNNAMED.store_stack, RULE_OUTPUT, ERROR_QUEUE_OUTPUT)
    rule = iot.get_topic_rule(ruleName=name)["rule"]
    payload = payload_of(rule)
    changed = copy.deepcopy(payload)
    changed["actions"][0]["dynamoDBv2"]["putItem"]["tableName"] = "none"
    sqs = boto3.client("sqs")
    accept_plain_delivery()
    iot.replace_topic_rule(ruleName=name, topicRulePayload=changed)
    try:
        checked = check(bridge[1], "--round-trip")
    finally:
        iot.replace_topic_rule(ruleName=name, topicRulePayload=payload)
    checked.breaks_at("uplink to table", "no row in .*", "revert-drift")
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)


def test_a_table_that_is_gone(bridge: tuple[RunningBridge, Path]) -> None:
    """A table that somebody has deleted."""
    (table,) = stack_outputs(UNNAMED.store_stack, TABLE_OUTPUT)
    boto3.client("dynamodb").delete_table(TableName=table)
    check(bridge[1]).breaks_at("table", f"no table {table}", "revert-drift")
