"""Looks into the error queue, and takes out of it what has been stored.

SQS hands messages over in no order, and hides from everyone what it has handed over, for as long
as was asked for.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from console.deployment import stack_outputs
from console.recovery.failures import Failure, parse_failure
from console.store.queues import Depth, depth
from contract.deployment import Deployment
from contract.names import ERROR_QUEUE_OUTPUT

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_BATCH = 10  # messages, the most in a call
_WAIT = 1  # seconds; any waiting makes SQS ask all its servers, so that no answer means no message
_LOOKING = 30.0  # seconds, half of what is hidden at most: the rest is for giving back
_HIDDEN = 60  # seconds


@dataclass(frozen=True, slots=True)
class Held:
    """A message that is hidden from others, and what it takes to give it back or remove it."""

    failure: Failure
    receipt: str


class ErrorQueue:
    """The queue of what the rule of a deployment could not store."""

    def __init__(self, client: "SQSClient", url: str, deployment: Deployment) -> None:
        self._deployment = deployment
        self._client = client
        self._url = url

    def depth(self) -> Depth:
        """Return how many messages there are, about."""
        return depth(self._client, self._url)

    def receive(self, hidden: int, most: int = _BATCH) -> list[Held]:
        """Take some messages for ``hidden`` seconds; none when there are no others."""
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(most, _BATCH),
            VisibilityTimeout=hidden,
            WaitTimeSeconds=_WAIT,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        return [
            Held(
                parse_failure(
                    self._deployment,
                    each["MessageId"],
                    int(each["Attributes"]["SentTimestamp"]) * 1000,
                    each["Body"],
                ),
                each["ReceiptHandle"],
            )
            for each in answer.get("Messages", [])
        ]

    def give_back(self, held: Iterable[Held]) -> None:
        """Let others have messages again. A message that is gone is ignored."""
        entries = list(held)
        for first in range(0, len(entries), _BATCH):
            self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": each.receipt, "VisibilityTimeout": 0}
                    for number, each in enumerate(entries[first : first + _BATCH])
                ],
            )

    def remove(self, held: list[Held]) -> list[str | None]:
        """Remove at most ten messages; return for each None, or why it is still there."""
        if not held:
            return []
        answer = self._client.delete_message_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": each.receipt}
                for number, each in enumerate(held)
            ],
        )
        refused = {int(each["Id"]): each.get("Message") for each in answer.get("Failed", [])}
        return [
            f"stored, but not removed: {refused[number]}" if number in refused else None
            for number in range(len(held))
        ]

    def look(self, most: int, progress: Callable[[int], object]) -> list[Failure]:
        """Return at most so many failures, newest first, having given all of them back.

        Looks half a minute at most, and hides what it has seen for a minute at most, also when
        it is killed. ``progress`` is told how many came each time.
        """
        held: dict[str, Held] = {}
        end = time.monotonic() + _LOOKING
        try:
            while len(held) < most and time.monotonic() < end:
                batch = self.receive(_HIDDEN, most - len(held))
                if not batch:
                    break
                held.update((each.failure.id, each) for each in batch)
                progress(len(batch))
        finally:
            self.give_back(held.values())
        return sorted((each.failure for each in held.values()), key=lambda f: (-f.time, f.id))


def deployed_queue(deployment: Deployment) -> ErrorQueue:
    """Return the error queue of a deployment.

    Raises:
        BridgeError: its store is not deployed in this account and region.

    """
    (url,) = stack_outputs(deployment.store_stack, ERROR_QUEUE_OUTPUT)
    return ErrorQueue(boto3.client("sqs"), url, deployment)
