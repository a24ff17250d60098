"""The links that AWS itself can tell about, with AWS credentials at hand."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from console.check.chain import BrokenError, NotTriedError
from console.check.standing import ACTIVE, DEPLOY, Owner, remedy, standing

_QUICKLY = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1})
_ANONYMOUS = _QUICKLY.merge(Config(signature_version=UNSIGNED))
_MAX_SKEW = 60.0  # seconds
_ENDPOINT = re.compile(r"\.iot\.([a-z0-9-]+)\.amazonaws\.com")
_WRITE = "dynamodb:PutItem"
_WRITABLE = {"ACTIVE", "UPDATING"}
_ABSENT = {
    "ResourceNotFoundException",
    "NoSuchEntity",
    "UnauthorizedException",  # of a rule that is not there, AWS IoT says that it may not be seen
}


class Account:
    """The account behind an endpoint, whose region is in the endpoint's name."""

    def __init__(self, endpoint: str) -> None:
        found = _ENDPOINT.search(endpoint)
        self._region = found[1] if found else None  # None leaves it to the SDK's settings

    def clock(self, now: Callable[[], datetime]) -> str:
        """Compare this host's clock with that of AWS, which tells it to everyone.

        Raises:
            BrokenError: they differ by more than a minute.
            NotTriedError: AWS does not tell.

        """
        skew = (now() - self._time()).total_seconds()
        if abs(skew) > _MAX_SKEW:
            ahead = "ahead of" if skew > 0 else "behind"
            raise BrokenError(
                f"this host's is {abs(skew):.0f} s {ahead} that of AWS",
                "set it, and keep it set: timedatectl set-ntp true",
            )
        return "within a minute of that of AWS"

    def certificate(self, certificate_id: str, owner: Owner) -> str:
        """Look whether a certificate is active, and attached to its thing and to a policy.

        The remedy depends on the stack of the thing, and on the keys that are beside its own.

        Raises:
            BrokenError: it is not.
            NotTriedError: there are no AWS credentials that may look.

        """
        status, policies, things = self._certificate(certificate_id)
        reason = _unusable(certificate_id, status, may_anything=bool(policies))
        if reason:
            found = standing(certificate_id, owner)
            raise BrokenError(reason, remedy(found, status, certificate_id, owner))
        thing = owner.thing
        if thing not in things:
            raise BrokenError(
                f"{certificate_id} is attached to {', '.join(things) or 'no thing'}, not {thing}",
                f"let client_id in the configuration be that name; or {DEPLOY}",
            )
        return f"active, attached to {thing} and to a policy"

    def rule(self, name: str) -> str:
        """Look whether the rule that stores uplinks is there and enabled.

        Raises:
            BrokenError: it is not.
            NotTriedError: there are no AWS credentials that may look.

        """
        with _looking(f"AWS IoT has no rule {name}", DEPLOY):
            client = boto3.client("iot", self._region, config=_QUICKLY)
            disabled = client.get_topic_rule(ruleName=name)["rule"]["ruleDisabled"]
        if disabled:
            remedy = f"enable it: aws iot enable-topic-rule --rule-name {name}"
            raise BrokenError(f"{name} is disabled", remedy)
        return f"{name} is enabled"

    def table(self, name: str) -> str:
        """Look whether the table of uplinks is there.

        Raises:
            BrokenError: it is not.
            NotTriedError: there are no AWS credentials that may look.

        """
        with _looking(f"DynamoDB has no table {name}", DEPLOY):
            client = boto3.client("dynamodb", self._region, config=_QUICKLY)
            status = client.describe_table(TableName=name)["Table"]["TableStatus"]
        if status not in _WRITABLE:
            raise BrokenError(f"{name} is {status}", DEPLOY)
        return f"{name} is {status}"

    def role(self, rule: str, table: str) -> str:
        """Ask IAM whether the rule's role may write to the table.

        Raises:
            BrokenError: it may not, or is not there.
            NotTriedError: there are no AWS credentials that may look.

        """
        with _looking(f"IAM has no role of rule {rule}", DEPLOY):
            client = boto3.client("iot", self._region, config=_QUICKLY)
            actions = client.get_topic_rule(ruleName=rule)["rule"]["actions"]
            roles = [each["dynamoDBv2"]["roleArn"] for each in actions if "dynamoDBv2" in each]
            if not roles:
                raise BrokenError(f"{rule} stores nothing in DynamoDB", DEPLOY)
            role = roles[0]
            dynamodb = boto3.client("dynamodb", self._region, config=_QUICKLY)
            where = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
            iam = boto3.client("iam", self._region, config=_QUICKLY)
            (answer,) = iam.simulate_principal_policy(
                PolicySourceArn=role, ActionNames=[_WRITE], ResourceArns=[where]
            )["EvaluationResults"]
        name = role.rpartition("/")[2]
        if answer["EvalDecision"] != "allowed":
            raise BrokenError(f"{name} may not {_WRITE} on {table}", DEPLOY)
        return f"{name} may {_WRITE}"

    def _certificate(self, certificate_id: str) -> tuple[str | None, list[str], list[str]]:
        """Return a certificate's status, None if there is none, its policies and its things."""
        with suppress(BrokenError), _looking(certificate_id, ""):
            client = boto3.client("iot", self._region, config=_QUICKLY)
            found = client.describe_certificate(certificateId=certificate_id)
            arn = found["certificateDescription"]["certificateArn"]
            policies = client.list_attached_policies(target=arn)["policies"]
            things = client.list_principal_things(principal=arn)["things"]
            names = [each["policyName"] for each in policies]
            return found["certificateDescription"]["status"], names, things
        return None, [], []

    def _time(self) -> datetime:
        try:
            client = boto3.client("sts", self._region, config=_ANONYMOUS)
            answer = client.get_caller_identity()["ResponseMetadata"]
        except ClientError as error:  # it does not say who we are, but when
            answer = error.response["ResponseMetadata"]
        except (BotoCoreError, ValueError) as error:
            raise NotTriedError(str(error)) from None
        try:
            return parsedate_to_datetime(answer["HTTPHeaders"]["date"])
        except (KeyError, ValueError):
            raise NotTriedError("AWS does not tell its time") from None


def _unusable(certificate_id: str, status: str | None, *, may_anything: bool) -> str:
    """Return why a certificate lets nobody in, empty if it does."""
    if status is None:
        return f"AWS IoT does not know {certificate_id}"
    if status != ACTIVE:
        return f"{certificate_id} is {status}"
    return "" if may_anything else f"no policy is attached to {certificate_id}"


@contextmanager
def _looking(missing: str, remedy: str) -> Iterator[None]:
    """Tell what is not there from what keeps one from looking."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _ABSENT:
            raise BrokenError(missing, remedy) from None
        raise NotTriedError(str(error)) from None
    except (BotoCoreError, ValueError) as error:  # ValueError: of an endpoint URL
        raise NotTriedError(str(error)) from None
