"""Makes up for what the local AWS does otherwise than AWS."""

import boto3

from console.deployment import stack_outputs
from contract.deployment import UNNAMED
from contract.names import ERROR_QUEUE_OUTPUT


def accept_plain_delivery() -> None:
    """Drop the policy of the error queue: it wants TLS, and the local AWS delivers without."""
    (queue,) = stack_outputs(UNNAMED.store_stack, ERROR_QUEUE_OUTPUT)
    boto3.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
