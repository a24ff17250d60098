"""What the AWS credentials may do, as far as IAM tells: what they may not, no page offers."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from console.deployment import stack_outputs
from console.web.site import Site
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import ERROR_QUEUE_OUTPUT

_KEPT = 1000  # answers
_KEPT_FOR = 60_000_000  # microseconds: who was given a right finds the button soon


class May(StrEnum):
    """Whether the credentials may do something."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """IAM does not say: it may not be asked, or cannot tell of such credentials (those of root).
    Then the button is there, and AWS decides."""


def may_send(site: Site, device: str) -> May:
    """Say whether the credentials may ask for a downlink to ``APPEUI/MOTEEUI``.

    Takes a second, since IAM is asked; for the rest of the minute that answer holds. Never raises.
    """
    return _may_send(_minute(site), site.deployment, device)


def may_redrive(site: Site) -> May:
    """Say whether they may take messages out of the error queue and store them, as may_send."""
    return _may_redrive(_minute(site), site.deployment, site.uplinks)


def may_test(site: Site) -> May:
    """Say whether they may remove the row of a test uplink, as may_send."""
    return _may_remove(_minute(site), site.uplinks)


@dataclass(frozen=True)
class _Caller:
    """Whose the credentials are: the ARN of a user or role, and how other ARNs begin."""

    principal: str
    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def _minute(site: Site) -> int:
    return site.clock() // _KEPT_FOR


@lru_cache(_KEPT)
def _may_send(_minute: int, deployment: Deployment, device: str) -> May:
    return _ask("iot", f"topic/{deployment.request_topic(device)}", "iot:Publish")


@lru_cache(1)
def _may_redrive(_minute: int, deployment: Deployment, table: str) -> May:
    try:
        (url,) = stack_outputs(deployment.store_stack, ERROR_QUEUE_OUTPUT)
    except BridgeError:
        return May.UNKNOWN
    answers = {
        _ask("sqs", url.rpartition("/")[2], "sqs:ReceiveMessage", "sqs:DeleteMessage"),
        _ask("dynamodb", f"table/{table}", "dynamodb:PutItem"),
    }
    return next(each for each in (May.NO, May.UNKNOWN, May.YES) if each in answers)


@lru_cache(1)
def _may_remove(_minute: int, table: str) -> May:
    return _ask("dynamodb", f"table/{table}", "dynamodb:DeleteItem")


def _ask(service: str, resource: str, *actions: str) -> May:
    """Ask IAM whether all actions are allowed on something."""
    try:
        caller = _caller()
        if caller is None:
            return May.UNKNOWN
        answers = boto3.client("iam").simulate_principal_policy(
            PolicySourceArn=caller.principal,
            ActionNames=[*actions],
            ResourceArns=[caller.arn(service, resource)],
        )["EvaluationResults"]
    except (BotoCoreError, ClientError, ValueError):  # ValueError: of an endpoint URL
        return May.UNKNOWN
    return May.YES if all(each["EvalDecision"] == "allowed" for each in answers) else May.NO


def _caller() -> _Caller | None:
    """Return whose the credentials are, None where IAM cannot tell of them."""
    client = boto3.client("sts")
    _, partition, service, _, account, resource = client.get_caller_identity()["Arn"].split(":", 5)
    kind, _, name = resource.partition("/")
    if (service, kind) == ("iam", "user"):
        principal = f"arn:{partition}:iam::{account}:{resource}"
    elif (service, kind) == ("sts", "assumed-role"):  # IAM wants the role's path, which is not here
        iam = boto3.client("iam")
        principal = iam.get_role(RoleName=name.partition("/")[0])["Role"]["Arn"]
    else:
        return None
    return _Caller(principal, partition, client.meta.region_name, account)
