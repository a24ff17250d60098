"""What the function asks of AWS, and in which order."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import ANY, Stubber
from silence.aws import DeviceList, Uplinks
from silence.judging import Fallen, Outcome
from silence.known import Network

from contract.silence import AHEAD, LOOKED_AT
from contract.times import format_time
from tests.silence.world import HOUR, START

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TABLE = "table"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> "DynamoDBClient":
    """Return a client that has what it needs to sign requests."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return boto3.client("dynamodb", region_name="us-east-1")


@pytest.fixture
def stubber(client: "DynamoDBClient") -> Iterator[Stubber]:
    """Return what plays DynamoDB: it wants the requests that a test names, in their order."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    """Return a single thread, which does one thing after the other."""
    with ThreadPoolExecutor(1) as thread:
        yield thread


def test_what_was_told_is_noted_first(
    client: "DynamoDBClient", stubber: Stubber, thread: ThreadPoolExecutor
) -> None:
    """A run that dies while it notes thousands of intervals must not tell it all again."""
    learnt = {f"a/{number}": HOUR for number in range(20)}
    fallen = [Fallen(name, START, HOUR, 3) for name in ("b/1", "a/7")]
    outcome = Outcome(Network(), fallen, {"b/2": START, "a/9": START}, ["b/3"], learnt)
    told = ["b/1", "a/7", "b/2", "a/9", "b/3"]
    for name in told + [name for name in learnt if name not in told]:
        request = {
            "TableName": _TABLE,
            "Key": {"kind": ANY, "device": {"S": name}},
            "UpdateExpression": ANY,
            "ConditionExpression": ANY,
        }
        if name not in {"b/2", "b/3"}:
            request["ExpressionAttributeValues"] = ANY
        stubber.add_response("update_item", {}, request)
    DeviceList(client, _TABLE, thread).write(outcome, Network())


def test_an_uplink_of_a_clock_that_is_ahead_counts(
    client: "DynamoDBClient", stubber: Stubber, thread: ThreadPoolExecutor
) -> None:
    """As far as the bridge believes a gateway's clock."""
    request = {
        "TableName": _TABLE,
        "KeyConditionExpression": ANY,
        "ProjectionExpression": ANY,
        "ExpressionAttributeNames": ANY,
        "ExpressionAttributeValues": {
            ":device": {"S": "a/d"},
            ":last": {"S": format_time(START + AHEAD)},
        },
        "ScanIndexForward": False,
        "Limit": LOOKED_AT,
    }
    found = {"Items": [{"timestamp": {"S": format_time(START + AHEAD)}}]}
    stubber.add_response("query", found, request)
    uplinks = Uplinks(client, _TABLE, thread)
    assert uplinks.look(["a/d"], START, lambda: True) == {"a/d": [START + AHEAD]}
