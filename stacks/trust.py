"""Who may take a role on: a service of AWS, for what belongs to this account and region alone."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam


def trusted_iot(resources: str) -> iam.ServicePrincipal:
    """Return AWS IoT, on behalf of its ``resources``, such as ``rule/*``.

    A rule sends its own ARN (AWS IoT Developer Guide, "Granting an AWS IoT rule the access it
    requires"), which holds the name of the rule; and the rule names its role: a circle. So all
    rules of the account may stand here.
    """
    return _trusted("iot", "ArnLike", resources)


def trusted_lambda() -> iam.ServicePrincipal:
    """Return AWS Lambda.

    Its documents name both conditions ("Working with AWS managed policies in the execution role"),
    but not what it sends when it reads a stream for a function. So no kind of resource is named,
    and a request without an ARN passes: it has still to come from this account.
    """
    return _trusted("lambda", "ArnLikeIfExists", "*")


def _trusted(service: str, operator: str, resources: str) -> iam.ServicePrincipal:
    source = f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resources}"
    return iam.ServicePrincipal(
        f"{service}.amazonaws.com",
        conditions={
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            operator: {"aws:SourceArn": source},
        },
    )
