"""What the page of errors says of messages, devices and the spool, and how a redrive is told."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import boto3
import pytest
from botocore.stub import Stubber

from bridge.spool import rejected
from bridge.spool.file import connect
from console.recovery.error_queue import ErrorQueue, Held
from console.recovery.failures import Failure, parse_failure
from console.recovery.redrive import Store
from console.store.queues import Depth
from console.web.errors import kept, message, undecoded
from console.web.redriving import through
from contract.deployment import UNNAMED
from contract.errors import BridgeError
from tests.console.recovery.error_actions import REASON, error_action
from tests.console.web.test_path import NOW, SECOND, configuration, look, site

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

UPLINK = b'{"port1_bytes":[1,254],"timestamp":"2026-09-21T14:13:20.123456Z","seqno":12}'


def test_a_message() -> None:
    """The device to go to, and everything that was sent, as text."""
    found = message(parse_failure(UNNAMED, "id", NOW, error_action("lora/a/d", UPLINK)))
    assert json.loads(str(found.pop("whole")))["payload"] == json.loads(UPLINK)
    assert found == {
        "id": "id",
        "time": NOW // 1000,
        "device": "a/d",
        "event": False,
        "fcnt": 12,
        "reason": REASON,
    }


def test_a_message_of_an_event_and_of_nobody() -> None:
    """An event leads to its device, and what is no message of a rule to none."""
    event = message(parse_failure(UNNAMED, "id", NOW, error_action("lora/a/d/event/join", b"{}")))
    assert (event["device"], event["event"]) == ("a/d", True)
    other = message(parse_failure(UNNAMED, "id", NOW, "hello"))
    assert (other["device"], other["event"], other["fcnt"]) == (None, False, None)


def test_devices_that_were_not_decoded() -> None:
    """Those whose last uplink has an error, the newest first."""
    looks = (look("a/1", NOW, "old"), look("a/2", NOW + SECOND, "new"), look("a/3", NOW))
    found = undecoded(site(*looks, listed=4))
    assert [each["error"] for each in cast("list[dict[str, object]]", found["devices"])] == [
        "new",
        "old",
    ]
    assert (found["all"], found["looked"], found["listed"]) == (2, 3, 4)


def test_what_the_bridge_keeps(tmp_path: Path) -> None:
    """Counts by reason; without a spool, why there are none."""
    config = configuration(tmp_path)
    with pytest.raises(BridgeError, match="the bridge makes it when it starts"):
        kept(config)
    spool = connect(tmp_path / "spool.db")
    frames = [rejected.Rejected(NOW, "l", reason, whole=True, frame=b"x") for reason in "abb"]
    rejected.keep(spool, frames)
    spool.commit()
    spool.close()
    assert kept(config) == {"rejected": [("b", 2), ("a", 1)], "refused": []}


class Queue(ErrorQueue):
    """A queue with two uplinks, and something else, of which another command holds some."""

    def __init__(self) -> None:
        super().__init__(cast("SQSClient", None), "", UNNAMED)
        bodies = [error_action("lora/a/d", UPLINK), "hello", error_action("lora/a/e", UPLINK)]
        self.there = [
            Held(parse_failure(UNNAMED, str(number), NOW, body), "")
            for number, body in enumerate(bodies)
        ]
        self.given_back: list[Failure] = []

    def depth(self) -> Depth:
        """Say that another command holds two."""
        return Depth(len(self.there), 2)

    def receive(self, hidden: int, most: int = 10) -> list[Held]:
        """Hand over everything, once."""
        del hidden, most
        there, self.there = self.there, []
        return there

    def remove(self, held: list[Held]) -> list[str | None]:
        """Remove what is stored."""
        return [None for _ in held]

    def give_back(self, held: object) -> None:
        """Note what is given back."""
        self.given_back += [each.failure for each in cast("list[Held]", held)]


def test_a_redrive_is_told() -> None:
    """Why a message is left, and at last how many were stored, are left, and are hidden."""
    client = boto3.client("dynamodb", region_name="us-east-1")
    stubber = Stubber(client)
    for _ in range(2):
        stubber.add_response("put_item", {})
    queue = Queue()
    with stubber:
        told = list(through(queue, Store(client, "t", None), lambda: False))
    assert told == [
        (
            "left",
            {"id": "1", "device": None, "reason": "something else than AWS IoT has put it there"},
        ),
        ("done", {"redriven": 2, "left": 1, "hidden": 2, "all": True}),
    ]
    assert [each.id for each in queue.given_back] == ["1"]
