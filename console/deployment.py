"""Finds what ``cdk deploy`` has made, with the user's AWS credentials."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
from botocore.parsers import ResponseParserError

from contract.errors import BridgeError


class NotDeployedError(BridgeError):
    """A stack is not there, or not complete: for a reason, with a remedy."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}: {remedy}")
        self.reason = reason
        self.remedy = remedy


def stack_outputs(stack: str, *names: str) -> list[str]:
    """Return the named outputs of a deployed stack.

    Raises:
        NotDeployedError: there is no such stack in this account and region, or it is not complete.
        BridgeError: AWS does not answer.

    """
    with aws_errors():
        client = boto3.client("cloudformation")
        try:
            found = client.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            raise NotDeployedError(
                f"no stack {stack} in region {client.meta.region_name}",
                "deploy it with 'npx cdk deploy --all', or choose the region with"
                " AWS_DEFAULT_REGION, or the deployment with LORA_DEPLOYMENT",
            ) from None
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    missing = [name for name in names if name not in outputs]
    if missing:
        raise NotDeployedError(
            f"stack {stack} is {found['StackStatus']} and has no {missing[0]}",
            "deploy it again with this version",
        )
    return [outputs[name] for name in names]


def outputs_of_all() -> dict[str, dict[str, str]]:
    """Return the outputs of all deployed stacks of this account and region, by their names.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    with aws_errors():
        pages = boto3.client("cloudformation").get_paginator("describe_stacks").paginate()
        return {
            stack["StackName"]: {
                each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])
            }
            for page in pages
            for stack in page["Stacks"]
            if stack["StackStatus"] != "DELETE_COMPLETE"
        }


@contextmanager
def aws_errors() -> Iterator[None]:
    """Turn the errors of the AWS SDK into the one line that a person needs."""
    try:
        yield
    except NoRegionError:
        raise BridgeError("AWS: no region: name it with AWS_DEFAULT_REGION") from None
    except (BotoCoreError, ClientError, ValueError) as error:  # ValueError: of an endpoint URL
        raise BridgeError(f"AWS: {error}") from None
    except ResponseParserError:  # its text is all of a page
        raise BridgeError("AWS: something else answers in its place: is there a proxy?") from None
