"""The rules that store uplinks and events, and the role that they write with."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
import pytest

from console.deployment import stack_outputs
from contract.deployment import UNNAMED
from contract.names import EVENT_RULE_OUTPUT, RULE_OUTPUT
from tests.end_to_end.check.in_aws import payload_of
from tests.end_to_end.checked import Configured, check

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

pytestmark = pytest.mark.aws


@pytest.mark.parametrize(
    ("output", "link"), [(RULE_OUTPUT, "rule"), (EVENT_RULE_OUTPUT, "event rule")]
)
def test_a_disabled_rule(config: Configured, iot: "IoTClient", output: str, link: str) -> None:
    """A rule that somebody has switched off."""
    (rule,) = stack_outputs(UNNAMED.store_stack, output)
    iot.disable_topic_rule(ruleName=rule)
    try:
        checked = check(config())
    finally:
        iot.enable_topic_rule(ruleName=rule)
    checked.breaks_at(link, f"{rule} is disabled", f"enable-topic-rule --rule-name {rule}")


def test_a_rule_that_is_gone(config: Configured, iot: "IoTClient") -> None:
    """A rule that somebody has deleted."""
    (name,) = stack_outputs(UNNAMED.store_stack, RULE_OUTPUT)
    rule = iot.get_topic_rule(ruleName=name)["rule"]
    iot.delete_topic_rule(ruleName=name)
    try:
        checked = check(config())
    finally:
        iot.create_topic_rule(ruleName=name, topicRulePayload=payload_of(rule))
    checked.breaks_at("rule", f"no rule {name}", "revert-drift")


@contextmanager
def role_without_rights(iot: "IoTClient") -> Iterator[str]:
    """Take its rights from the rule's role for a time."""
    (name,) = stack_outputs(UNNAMED.store_stack, RULE_OUTPUT)
    (action,) = iot.get_topic_rule(ruleName=name)["rule"]["actions"]
    role = action["dynamoDBv2"]["roleArn"].rpartition("/")[2]
    iam = boto3.client("iam")
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName=policy)
    try:
        yield role
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))


def test_a_role_without_rights(config: Configured, iot: "IoTClient") -> None:
    """A role that may no longer write to the table."""
    with role_without_rights(iot) as role:
        checked = check(config())
    checked.breaks_at("role", f"{role} may not dynamodb:PutItem", "revert-drift")
