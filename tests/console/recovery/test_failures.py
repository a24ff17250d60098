"""What the rule could not store is understood, or said not to be."""

import json
from decimal import Decimal

import pytest

from console.recovery.failures import details, is_same, listed, parse_failure, row_to_store
from console.show.tables import render_whole
from contract.deployment import UNNAMED
from contract.rows import Value
from tests.console.recovery.error_actions import REASON, error_action

_TIME = 1_790_000_000_123_000
_DAY = 86_400
UPLINK = b'{"port1_bytes":[1,254],"timestamp":"2026-09-21T14:13:20.123456Z","seqno":12,"f":868.10}'


def test_a_failure_in_one_line() -> None:
    """The device is that of the topic, and the reason what the service said."""
    found = listed(parse_failure(UNNAMED, "id", _TIME, error_action("lora/a/d", UPLINK)))
    assert (found.id, found.time) == ("id", "2026-09-21T14:13:20.123000Z")
    assert (found.device, found.seqno, found.reason) == ("a/d", 12, REASON)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Failed.  The error received was:\nno table. Message arrived on: lora/a/d", "no table"),
        ("The error received was: no table", "no table"),
        ("no\nservice", "no service"),
        ("", "no reason given"),
    ],
)
def test_what_surrounds_the_reason_is_left_out(said: str, reason: str) -> None:
    """Of what AWS IoT writes around a service's answer nothing is shown; else all of it."""
    body = json.loads(error_action("lora/a/d", UPLINK))
    body["failures"][0]["errorMessage"] = said
    assert listed(parse_failure(UNNAMED, "id", _TIME, json.dumps(body))).reason == reason


@pytest.mark.parametrize(
    "body",
    [
        *("", "hello", "[]", "{}", "[" * 100_000, '{"topic":"lora/a/d","failures":[]}'),
        error_action("lora/a/d", UPLINK).replace('Payload": "', 'Payload": "%'),
    ],
)
def test_another_message_is_said_to_be_one(body: str) -> None:
    """What is no message of an error action has a line, is shown as it is, and has no row."""
    failure = parse_failure(UNNAMED, "id", _TIME, body)
    assert listed(failure).reason == "something else than AWS IoT has put it there"
    assert details(failure)["body"] == body
    with pytest.raises(ValueError, match="something else than AWS IoT has put it there"):
        row_to_store(failure, None)


def test_a_failure_whole() -> None:
    """All that AWS IoT said is there, and the payload as JSON with its numbers as they were."""
    shown = render_whole(
        details(parse_failure(UNNAMED, "id", _TIME, error_action("lora/a/d", UPLINK)))
    )
    assert '"f": 868.10' in shown
    whole = json.loads(shown)
    assert (whole["id"], whole["topic"], whole["ruleName"]) == ("id", "lora/a/d", "StoringRule")
    assert whole["payload"] == json.loads(UPLINK)
    assert whole["failures"][0]["failedResource"] == "uplinks"
    assert "base64OriginalPayload" not in whole


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[" * 10_000, b"1e99999999999999999999"])
def test_a_payload_that_is_no_json_is_shown_in_base64(payload: bytes) -> None:
    """It is shown as AWS IoT has it, and has no row."""
    failure = parse_failure(UNNAMED, "id", _TIME, error_action("lora/a/d", payload))
    shown = details(failure)
    assert "payload" not in shown
    assert "base64OriginalPayload" in shown
    assert listed(failure).seqno is None
    with pytest.raises(ValueError, match="no JSON object"):
        row_to_store(failure, None)


def test_the_row_is_that_of_the_rule() -> None:
    """The payload's fields, the device, and with retention the expiry, from when it failed."""
    failure = parse_failure(UNNAMED, "id", _TIME, error_action("lora/lora/d", UPLINK))
    row = json.loads(UPLINK, parse_float=Decimal) | {"device": "lora/d"}
    assert row_to_store(failure, None) == row
    assert row_to_store(failure, 30) == row | {"expires": 1_790_000_000 + 30 * _DAY}


def test_an_uplink_by_basic_ingest_is_no_other() -> None:
    """Whether or not AWS IoT tells the prefix in an error, the device is the same."""
    failure = parse_failure(
        UNNAMED, "id", _TIME, error_action("$aws/rules/Rule_1/lora/a/d", UPLINK)
    )
    assert listed(failure).device == "a/d"


def test_an_event_is_in_the_partition_of_events() -> None:
    """Its device is said so, and its row is there, where its rule would have put it."""
    event = b'{"type":"join","timestamp":"2026-09-21T14:13:20.123456Z"}'
    failure = parse_failure(UNNAMED, "id", _TIME, error_action("lora/a/d/event/join", event))
    assert listed(failure).device == "a/d/event"
    assert row_to_store(failure, None) == json.loads(event) | {"device": "a/d/event"}


@pytest.mark.parametrize(
    "topic",
    [
        *("", "lora", "lora/a", "lora/a/d/decoded", "lora/a/d/down", "other/a/d"),
        *("lora/a/d/event", "lora/a/d/event/a/b", "other/a/d/event/join"),
    ],
)
def test_a_topic_that_no_rule_takes_has_no_row(topic: str) -> None:
    """A topic of other levels, or of another root, names no device."""
    failure = parse_failure(UNNAMED, "id", _TIME, error_action(topic, UPLINK))
    assert listed(failure).device is None
    with pytest.raises(ValueError, match="not a topic of a rule"):
        row_to_store(failure, None)


def test_an_uplink_is_the_same_whatever_was_added() -> None:
    """Port, bytes and seqno say whether it is the same; what else there is does not matter."""
    row: dict[str, Value] = {
        "device": "a/d",
        "timestamp": "t",
        "port1_bytes": [1],
        "seqno": 1,
        "gwrx": [],
    }
    assert is_same(row, row | {"decoded": {}, "gwrx": [{"rssi": -1}], "expires": 5})
    assert not is_same(row, row | {"seqno": 2})
    assert not is_same(row, row | {"port1_bytes": [2]})
    assert not is_same(row, {"device": "a/d", "timestamp": "t", "port2_bytes": [1], "seqno": 1})


def test_what_is_no_uplink_is_the_same_with_all_its_fields() -> None:
    """Something that carries no bytes is compared field by field, but for its expiry."""
    row: dict[str, Value] = {"device": "a/d", "timestamp": "t", "x": 1, "expires": 5}
    assert is_same(row, row | {"expires": 6, "y": 2})
    assert not is_same(row, row | {"x": 2})
    assert not is_same(row, {"device": "a/d", "timestamp": "t"})


def test_an_event_is_the_same_however_its_lists_are_stored() -> None:
    """A list or map may be there as such, or as JSON; other numbers in it are another event."""
    row: dict[str, Value] = {"type": "other", "timestamp": "t", "frame": {"a": [1, Decimal("1.5")]}}
    assert is_same(row, row | {"expires": 6})
    assert is_same(row, row | {"frame": '{"a":[1,1.50]}'})
    assert not is_same(row, row | {"frame": '{"a":[1,2.5]}'})
    assert not is_same(row, row | {"frame": "nonsense"})
