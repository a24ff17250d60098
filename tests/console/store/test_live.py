"""Uplinks and their readings, joined as they come."""

import json
from collections.abc import Iterable
from decimal import Decimal
from queue import SimpleQueue

import msgspec
import pytest

from console.store.live import Joining, rows_heard
from console.store.shown import Shown
from console.store.subscription import Change, Heard
from contract.deployment import UNNAMED
from contract.errors import BridgeError
from contract.rows import Row
from contract.times import format_time

UPLINK, READING = "lora/a/d", "lora/a/d/decoded"
T1, T2 = "2026-11-22T10:00:00.000000Z", "2026-11-22T10:00:01.000000Z"


def message(timestamp: str, **fields: object) -> bytes:
    """Return a payload."""
    return json.dumps({"timestamp": timestamp, **fields}).encode()


@pytest.fixture
def joining() -> Joining:
    """Join the messages of a device."""
    return Joining(UNNAMED, "a/d")


def test_an_uplink_waits_for_its_reading(joining: Joining) -> None:
    """Both are one row, with exact numbers, whatever comes between them."""
    assert not list(joining.take(UPLINK, message(T1, port1_bytes=[1]), 0.0))
    assert not list(joining.take(UPLINK, message(T2, port1_bytes=[2]), 0.1))
    (row,) = joining.take(READING, message(T1, decoded={"t": 19.3}, warnings=["w"]), 0.2)
    assert row == {
        "device": "a/d",
        "timestamp": T1,
        "port1_bytes": [1],
        "decoded": {"t": Decimal("19.3")},
        "decode_warnings": ["w"],
    }


def shown(joining: Joining, timestamp: str, now: float) -> list[Row]:
    """Let an uplink come; return what is shown within the second."""
    return [*joining.take(UPLINK, message(timestamp), now), *joining.due(now + 1)]


def test_what_has_no_reading_is_shown_without(joining: Joining) -> None:
    """After one has waited in vain nobody waits, until readings come again."""
    assert shown(joining, T1, 0.0) == []
    assert list(joining.due(10.0)) == [{"device": "a/d", "timestamp": T1}]
    assert len(shown(joining, T2, 20.0)) == 1
    assert not list(joining.take(READING, message(T2, decoded={}), 20.5))
    assert shown(joining, T1, 30.0) == []


def test_ports_without_a_codec_do_not_hurry_the_others(joining: Joining) -> None:
    """A port whose readings come waits for them, whatever another port does."""
    list(joining.take(UPLINK, message(T1, port2_bytes=[]), 0.0))
    assert len(list(joining.due(10.0))) == 1
    assert not list(joining.take(UPLINK, message(T2, port1_bytes=[]), 11.0))
    assert not list(joining.take(UPLINK, message(T1, port2_bytes=[]), 11.0))
    assert not list(joining.due(11.0))
    (row,) = joining.take(READING, message(T2, decoded={"t": 1}, port=1), 12.0)
    assert row["decoded"] == {"t": 1}
    assert [row["timestamp"] for row in joining.due(12.0)] == [T1]


def test_uplinks_come_in_their_order(joining: Joining) -> None:
    """A reading that comes sooner than that of the uplink before waits for it."""
    assert not list(joining.take(UPLINK, message(T1, port1_bytes=[1]), 0.0))
    assert not list(joining.take(UPLINK, message(T2, port1_bytes=[2]), 0.1))
    assert not list(joining.take(READING, message(T2, decoded={"t": 2}), 0.2))
    both = list(joining.take(READING, message(T1, decoded={"t": 1}), 0.3))
    assert [row["timestamp"] for row in both] == [T1, T2]


def test_a_number_that_nothing_can_hold(joining: Joining) -> None:
    """It is given as it was written."""
    payload = b'{"timestamp":"%s","x":1e99999999999999999999}' % T1.encode()
    list(joining.take(UPLINK, payload, 0.0))
    (row,) = joining.due(10.0)
    assert row["x"] == "1e99999999999999999999"


def test_a_reading_before_its_uplink(joining: Joining) -> None:
    """Topics overtake each other: a reading waits for its uplink as well, for a while."""
    assert not list(joining.take(READING, message(T1, decoded={"t": 1}), 0.0))
    assert not list(joining.due(1.0))
    (row,) = joining.take(UPLINK, message(T1), 1.0)
    assert row["decoded"] == {"t": 1}
    assert not list(joining.take(READING, message(T2, decoded={"t": 2}), 2.0))
    assert not list(joining.due(10.0))
    assert not list(joining.take(UPLINK, message(T2), 10.0))


def test_a_stored_uplink_waits_for_its_reading_too(joining: Joining) -> None:
    """One that has its reading, or the reason why there is none, does not; their order stays."""
    first: Row = {"device": "a/d", "timestamp": T1, "port1_bytes": [1]}
    assert not list(joining.take_stored(first, 0.0))
    failed: Row = {"device": "a/d", "timestamp": T2, "decode_error": {"code": "threw"}}
    assert not list(joining.take_stored(failed, 0.0))
    both = list(joining.take(READING, message(T1, decoded={"t": 1}), 0.5))
    assert [row.get("decoded") for row in both] == [{"t": 1}, None]
    assert list(joining.take_stored({**first, "decoded": {"t": 1}}, 1.0))


def test_an_uplink_that_comes_twice_while_it_waits(joining: Joining) -> None:
    """It is one, whether it is published twice or found in the table as well."""
    assert not list(joining.take(UPLINK, message(T1), 0.0))
    assert not list(joining.take(UPLINK, message(T1), 0.1))
    (row,) = joining.take_stored({"timestamp": T1, "decoded": {"t": 1}}, 0.2)
    assert row["decoded"] == {"t": 1}
    assert not list(joining.due(10.0))


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[1]", b"{"])
def test_what_is_no_uplink(joining: Joining, payload: bytes) -> None:
    """A message that is no JSON object is refused."""
    with pytest.raises(msgspec.DecodeError):
        list(joining.take(UPLINK, payload, 0.0))


def heard(*all_of_it: Heard, stored: Iterable[Row] = ()) -> tuple[list[Row], list[int]]:
    """Return the rows of what is heard until its end, and since when the table was read."""
    queue: SimpleQueue[Heard] = SimpleQueue()
    for each in all_of_it:
        queue.put(each)
    asked: list[int] = []

    def read(since: int) -> Iterable[Row]:
        asked.append(since)
        return stored

    return list(rows_heard(queue, Joining(UNNAMED, "a/d"), Shown(), read, queue.empty)), asked


def both_of(timestamp: str) -> tuple[Heard, Heard]:
    """Return an uplink and its reading, as they are heard."""
    return (UPLINK, message(timestamp)), (READING, message(timestamp, decoded={}))


def test_a_gap_begins_where_the_connection_broke() -> None:
    """What is heard before the table is read does not make the gap shorter."""
    later = "2026-11-22T12:00:00.000000Z"
    missed: list[Row] = [{"timestamp": T2, "decoded": {}}, {"timestamp": later, "decoded": {}}]
    rows, asked = heard(*both_of(T1), Change.LOST, *both_of(later), Change.MADE, stored=missed)
    assert [row["timestamp"] for row in rows] == [T1, later, T2]
    assert [format_time(since) for since in asked] == ["2026-11-22T09:50:00.000000Z"]


def test_a_refusal_ends_it() -> None:
    """Nobody waits for what will not come."""
    with pytest.raises(BridgeError, match="does not grant"):
        heard(BridgeError("AWS IoT does not grant the subscription"))
