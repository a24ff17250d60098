"""How many messages wait in the two queues of the store."""

import boto3

from console.deployment import aws_errors, stack_outputs
from console.store.queues import depth
from contract.deployment import Deployment
from contract.names import ERROR_QUEUE_OUTPUT, FAILURE_QUEUE_OUTPUT


def error_queue(deployment: Deployment) -> dict[str, object]:
    """Return how many messages the rule could not store.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    return _depth(deployment, ERROR_QUEUE_OUTPUT)


def failure_queue(deployment: Deployment) -> dict[str, object]:
    """Return how many batches of uplinks the decoder gave up.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    return _depth(deployment, FAILURE_QUEUE_OUTPUT)


def _depth(deployment: Deployment, output: str) -> dict[str, object]:
    with aws_errors():
        (url,) = stack_outputs(deployment.store_stack, output)
        found = depth(boto3.client("sqs"), url)
    return {"waiting": found.waiting, "held": found.held, "url": url}
