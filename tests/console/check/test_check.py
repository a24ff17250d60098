"""A chain of links is looked at in order, and each finding is one line."""

import errno
from collections.abc import Callable
from itertools import count
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from bridge import config
from bridge.messages.message import build
from console.check.account import Account
from console.check.chain import BrokenError, Finding, Link, NotTriedError, State, line, walk
from console.check.files import key
from console.check.round_trip import RoundTrip
from console.check.session import aws_session
from console.check.test_uplink import MarkedUplink
from contract.deployment import UNNAMED
from lab.rig.uplinks import uplink_of

MARKER = bytes(range(8))


def raising(error: Exception) -> Callable[[], str]:
    """Return a look that ends in an error."""

    def look() -> str:
        raise error

    return look


def test_the_walk_ends_at_the_first_broken_link() -> None:
    """What cannot be looked at is passed over; what comes after the broken link is not touched."""
    links: list[Link] = [
        ("a", lambda: "seen"),
        ("b", raising(NotTriedError("no credentials"))),
        ("c", raising(BrokenError("gone", "bring it back"))),
        ("d", raising(AssertionError())),
    ]
    ticks = count()
    assert list(walk(links, lambda: float(next(ticks)))) == [
        Finding("a", State.WHOLE, "seen", "", 1),
        Finding("b", State.NOT_TRIED, "no credentials", "", 1),
        Finding("c", State.BROKEN, "gone", "bring it back", 1),
    ]


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (Finding("TCP", State.WHOLE, "connected", "", 0.0123), "✓ TCP: connected (12 ms)"),
        (Finding("rule", State.NOT_TRIED, "no region", "", 1), "- rule: not tried, no region"),
        (Finding("key", State.BROKEN, "gone", "make one", 1), "✗ key: gone → make one"),
    ],
)
def test_lines(finding: Finding, said: str) -> None:
    """A mark, the link, what was seen; the time of what is whole, the remedy of what is not."""
    assert line(finding) == said


def test_the_test_uplink_is_one() -> None:
    """The frame is an uplink, without its NUL, and what the bridge makes of it is known again."""
    marked = MarkedUplink(UNNAMED, "network-host-1", MARKER)
    frame = marked.frame()
    assert frame.endswith(b"\0")
    message = build(uplink_of(frame[:-1]), 0, UNNAMED)
    assert message.topic == marked.topic == "lora/check/network-host-1"
    assert marked.is_in(message.payload)


def test_a_key_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only the bridge's user may read is no reason for a new key.

    Root, as whom tests may run, reads everything.
    """

    def denied(_path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(BrokenError, match="Permission denied") as caught:
        key(tmp_path / "network-host-1.key")
    assert caught.value.remedy.startswith("run this as the user of the bridge")


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"{}", b"\xff", b'{"port1_bytes":[1]}', b'{"port2_bytes":[0,1,2,3,4,5,6,7]}'],
)
def test_other_uplinks_are_not_taken_for_it(payload: bytes) -> None:
    """Whatever else comes on its topic is none of the check's."""
    assert not MarkedUplink(UNNAMED, "network-host-1", MARKER).is_in(payload)


def test_a_table_that_is_going(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that is being deleted is there, and broken all the same."""
    client = boto3.client("dynamodb", "us-east-1")
    monkeypatch.setattr(boto3, "client", lambda *_of, **_how: client)
    with Stubber(client) as stub:
        stub.add_response("describe_table", {"Table": {"TableStatus": "DELETING"}})
        with pytest.raises(BrokenError, match="uplinks is DELETING"):
            Account("localhost").table("uplinks")


def test_a_rule_that_stores_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that somebody gave another action has no role to ask about."""
    client = boto3.client("iot", "us-east-1")
    monkeypatch.setattr(boto3, "client", lambda *_of, **_how: client)
    function = {"functionArn": "arn:aws:lambda:us-east-1:000000000000:function:other"}
    with Stubber(client) as stub:
        stub.add_response("get_topic_rule", {"rule": {"actions": [{"lambda": function}]}})
        with pytest.raises(BrokenError, match="stores nothing in DynamoDB"):
            Account("localhost").role("store", "uplinks")


def test_a_port_that_nobody_knows(tmp_path: Path) -> None:
    """Port 0 is chosen anew at each start: the test uplink goes nowhere, and the bridge is fine."""
    text = """
        listen = [{port = 0}]
        aws = {endpoint = "localhost", client_id = "a", certificate = "b", private_key = "c"}
        spool = {path = "d"}
    """
    settings = config.parse(text, tmp_path / "bridge.toml")
    links = dict(RoundTrip(settings, aws_session(settings.aws)).links())
    with pytest.raises(BrokenError, match="port 0 is any that was free"):
        links["uplink to bridge"]()
