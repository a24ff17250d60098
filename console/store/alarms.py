"""Reads the alarms of a store: which there are, and what each says to do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import boto3

from console.deployment import aws_errors
from contract.deployment import Deployment

_NAME = re.compile(r"(?:Watching)?(\w+?)[0-9A-F]{8}-\w+")
"""What CloudFormation makes of an alarm's place in the stack, and adds to tell it from others."""


class AlarmState(StrEnum):
    """What CloudWatch says of an alarm."""

    ON = "ALARM"
    OFF = "OK"
    UNKNOWN = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm: what went off, what to do, and since when, in microseconds since 1970."""

    name: str
    state: AlarmState
    description: str
    since: int


def alarms(deployment: Deployment) -> Iterator[Alarm]:
    """Yield all alarms of the store's stack.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    prefix = f"{deployment.store_stack}-"
    with aws_errors():
        pages = boto3.client("cloudwatch").get_paginator("describe_alarms")
        for page in pages.paginate(AlarmNamePrefix=prefix):
            for each in page["MetricAlarms"]:
                yield Alarm(
                    alarm_name(each["AlarmName"].removeprefix(prefix)),
                    AlarmState(each["StateValue"]),
                    each.get("AlarmDescription", ""),
                    round(each["StateUpdatedTimestamp"].timestamp() * 1_000_000),
                )


def alarm_name(name: str) -> str:
    """Return an alarm's name as the documentation has it, ``NotStored``."""
    found = _NAME.fullmatch(name)
    return found[1] if found else name
