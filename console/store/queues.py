"""Says how many messages wait in a queue."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages there are, about: to be had, and held by somebody at the moment."""

    waiting: int
    held: int


def depth(client: "SQSClient", url: str) -> Depth:
    """Return how many messages a queue has, about."""
    found = client.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return Depth(
        int(found["ApproximateNumberOfMessages"]),
        int(found["ApproximateNumberOfMessagesNotVisible"]),
    )
