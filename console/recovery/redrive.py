"""Puts what the rule could not store into the table, and only then takes it out of the queue.

The row is put here and not published again for the rule: AWS IoT acknowledges a message before
the rule runs, so nobody would know whether it was stored, one that fails again would be in the
queue twice, and subscribers, who have seen it, would see it again. A row that is there already is
left as it is, so that a redrive may be repeated, or run twice at once, and may end anywhere: what
was stored and not yet removed is found stored the next time.
"""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import DecimalException
from typing import TYPE_CHECKING, cast

import boto3
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from console.deployment import stack_outputs
from console.recovery.error_queue import ErrorQueue, Held
from console.recovery.failures import Failure, is_same, row_to_store
from console.store.queues import Depth
from contract.deployment import Deployment
from contract.names import NO_RETENTION, PARTITION_KEY, RETENTION_OUTPUT, TABLE_OUTPUT
from contract.rows import row_of, stored_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_AT_ONCE = 10  # rows: those of a call to SQS; boto3 keeps ten connections
_serializer = TypeSerializer()

Result = tuple[Failure, str | None]
"""A failure, and why it is left in the queue; None when it is stored and has been removed."""


@dataclass(frozen=True)
class Store:
    """The table, and how many days it keeps its rows; None is for ever."""

    client: "DynamoDBClient"
    table: str
    retention_days: int | None

    def put(self, failure: Failure) -> str | None:
        """Store the row of a failure; return None when it is in the table, or why it is not.

        Raises:
            ClientError: AWS stores nothing at the moment, or not with these credentials.

        """
        try:
            row = row_to_store(failure, self.retention_days)
            item = {name: _serializer.serialize(value) for name, value in row.items()}
        except ValueError as error:
            return str(error)
        except DecimalException:
            return "a number has more digits than DynamoDB keeps"
        except RecursionError:
            return "nested too deep"
        try:
            self.client.put_item(
                TableName=self.table,
                Item=item,
                ConditionExpression="attribute_not_exists(#device)",
                ExpressionAttributeNames={"#device": PARTITION_KEY},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            match error.response.get("Error", {}):
                case {"Code": "ConditionalCheckFailedException"}:
                    same = is_same(row_of(row), stored_row(_item(error)))
                    return None if same else "something else has its time"
                case {"Code": "ValidationException", "Message": said}:
                    return said
            raise
        return None


def deployed_store(deployment: Deployment) -> Store:
    """Return the table of a deployment.

    Raises:
        BridgeError: its store is not deployed in this account and region.

    """
    table, days = stack_outputs(deployment.store_stack, TABLE_OUTPUT, RETENTION_OUTPUT)
    return Store(boto3.client("dynamodb"), table, None if days == NO_RETENTION else int(days))


def hidden_by_others(before: Depth, after: Depth) -> int:
    """Return how many messages somebody else hides.

    SQS counts what was just removed or given back as hidden for a while.
    """
    return min(before.held, after.held)


def store_failures(
    queue: ErrorQueue, store: Store, ended: Callable[[], bool], hide_for: int = 300
) -> Generator[Result]:
    """Go through the queue until it holds nothing else, or ``ended``; yield what became of each.

    The queue hides what it gave for ``hide_for`` seconds: what is left must not come again while
    others are stored.

    Raises:
        ClientError: AWS refuses; everything that was not removed is given back.

    """
    held: dict[str, Held] = {}  # those received and not removed
    try:
        with ThreadPoolExecutor(_AT_ONCE) as executor:
            while not ended():
                batch = {each.failure.id: each for each in queue.receive(hide_for)}
                if not batch:
                    return
                fresh = [each for name, each in batch.items() if name not in held]
                held |= batch  # one that was left may come again: the new receipt is the good one
                reasons = list(executor.map(store.put, (each.failure for each in fresh)))
                results = _remove(queue, fresh, reasons)
                for failure, reason in results:
                    if reason is None:
                        del held[failure.id]
                yield from results
    finally:
        queue.give_back(held.values())


def _remove(queue: ErrorQueue, fresh: list[Held], reasons: list[str | None]) -> list[Result]:
    """Remove what is stored; return what became of each."""
    stored = [each for each, reason in zip(fresh, reasons, strict=True) if reason is None]
    refused = dict(zip((each.failure.id for each in stored), queue.remove(stored), strict=True))
    return [
        (each.failure, reason or refused[each.failure.id])
        for each, reason in zip(fresh, reasons, strict=True)
    ]


def _item(error: ClientError) -> "dict[str, AttributeValueTypeDef]":
    """Return the row that is in the way, which the SDK adds to the error."""
    return cast("dict[str, dict[str, AttributeValueTypeDef]]", error.response)["Item"]
