"""What the certificate's policy lets the bridge do."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.check.in_aws import arn_of
from tests.end_to_end.checked import Configured, check
from tests.end_to_end.conftest import BRIDGE

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

pytestmark = pytest.mark.aws


@contextmanager
def other_policy(iot: "IoTClient", *statements: Mapping[str, str]) -> Iterator[None]:
    """Put a policy in the place of the certificate's own ones for a time, or none."""
    _id, arn = arn_of(iot, BRIDGE)
    own = iot.list_attached_policies(target=arn)["policies"]
    for each in own:
        iot.detach_policy(policyName=each["policyName"], target=arn)
    if statements:
        document = {"Version": "2012-10-17", "Statement": statements}
        iot.create_policy(policyName="other", policyDocument=json.dumps(document))
        iot.attach_policy(policyName="other", target=arn)
    try:
        yield
    finally:
        if statements:
            iot.detach_policy(policyName="other", target=arn)
            iot.delete_policy(policyName="other")
        for each in own:
            iot.attach_policy(policyName=each["policyName"], target=arn)


def test_a_certificate_without_a_policy(config: Configured, iot: "IoTClient") -> None:
    """A certificate from which its policy was detached."""
    with other_policy(iot):
        checked = check(config())
    checked.breaks_at("certificate in AWS", "no policy is attached", "revert-drift")


def test_a_policy_without_the_topics(config: Configured, iot: "IoTClient") -> None:
    """A policy that lets the bridge connect, but not publish where uplinks go."""
    anyone = {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}
    elsewhere = {
        "Effect": "Allow",
        "Action": "iot:Publish",
        "Resource": "arn:aws:iot:us-east-1:000000000000:topic/elsewhere/*",
    }
    with other_policy(iot, anyone, elsewhere):
        checked = check(config())
    checked.breaks_at("publish", "lora/check/.*NOT_AUTHORIZED", "iot:Publish")


def test_a_policy_without_requests(config: Configured, iot: "IoTClient") -> None:
    """A policy of before there were downlinks, which lets the bridge publish alone."""
    before = [
        {"Effect": "Allow", "Action": action, "Resource": "*"}
        for action in ("iot:Connect", "iot:Publish")
    ]
    with other_policy(iot, *before):
        checked = check(config())
    checked.breaks_at("requests", r"lora/\+/\+/down: NOT_AUTHORIZED", "iot:Subscribe")
