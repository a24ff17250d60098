"""Stored uplinks become what was published again, at a pace, on topics that the rule leaves."""

import json
import time
from decimal import Decimal
from threading import Event

import pytest
from boto3.dynamodb.types import TypeSerializer

from bridge.messages.message import build
from console.recovery.replay import check_prefix, payload, publish_again
from contract.deployment import UNNAMED
from contract.rows import Row, row_of, stored_row
from lab.rig.uplinks import uplink_of
from tests.bridge.sources.semtech.frames import LAYOUT_1, LAYOUT_2, RECEIVED

_NESTED = ("port1_bytes", "motetx", "gwrx")
_ADDED = {
    "device": "37817737f13/9372163",
    "expires": 1_790_000_000,
    "decoded": {"temperature": Decimal("17.31")},
    "decode_warnings": ["old"],
    "decode_error": {"code": "errors", "message": "no"},
}


@pytest.mark.parametrize("frame", [LAYOUT_1, LAYOUT_2])
@pytest.mark.parametrize("as_text", [False, True])
def test_the_payload_is_the_one_that_was_published(frame: bytes, *, as_text: bool) -> None:
    """What was added to the row is gone, and numbers are as they were, in both stored forms."""
    published = build(uplink_of(frame, "37817737f13"), RECEIVED, UNNAMED).payload
    fields = json.loads(published, parse_float=Decimal)
    if as_text:
        whole = json.loads(published)
        fields |= {name: json.dumps(whole[name]) for name in _NESTED}
    item = {name: TypeSerializer().serialize(value) for name, value in (fields | _ADDED).items()}
    assert payload(stored_row(item)) == published


def test_numbers_keep_all_their_digits() -> None:
    """Neither many digits nor an exponent become a float."""
    row = row_of({"a": Decimal("0.1234567890123456789"), "b": 10**30, "c": Decimal("1E-90")})
    assert json.loads(payload(row), parse_float=Decimal) == row


@pytest.mark.parametrize("prefix", ["replay", "lora/replay", "a/b/c/d/e/f", "lorax", "x" * 126])
def test_prefixes(prefix: str) -> None:
    """Any topic with two levels more, below lora/ too, where the rule does not take it."""
    assert check_prefix(UNNAMED, prefix) == prefix


@pytest.mark.parametrize(
    "prefix",
    ["", "lora", "/a", "a/", "a//b", "+", "a/#", "$aws/rules/x", "a/b/c/d/e/f/g", "x" * 127, "ä"],
)
def test_prefixes_that_are_refused(prefix: str) -> None:
    """That of the rule, a reserved one, a filter, and what is too long for AWS IoT."""
    with pytest.raises(ValueError, match=r"the rule stores|is not 1 to 6 levels"):
        check_prefix(UNNAMED, prefix)


def test_the_pace_is_kept() -> None:
    """Each uplink waits for its turn, in order."""
    rows: list[Row] = [{"seqno": seqno} for seqno in range(6)]
    published: list[Row] = []
    started = time.monotonic()
    assert list(publish_again(iter(rows), published.append, 50, Event())) == rows == published
    assert time.monotonic() - started >= 5 / 50


def test_an_end_comes_at_once() -> None:
    """Waiting for the next turn is no obstacle, and nothing more is published."""
    ended = Event()
    published: list[Row] = []
    for _row in publish_again(iter([{"seqno": 1}, {"seqno": 2}]), published.append, 0.001, ended):
        ended.set()
    assert published == [{"seqno": 1}]
