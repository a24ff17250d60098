"""Uplinks and their readings, joined as they come."""

import json
from decimal import Decimal

import msgspec
import pytest

from console.store.live import Joining
from contract.rows import Row

UPLINK, READING = "lora/a/d", "lora/a/d/decoded"
T1, T2 = "2026-11-22T10:00:00.000000Z", "2026-11-22T10:00:01.000000Z"


def message(timestamp: str, **fields: object) -> bytes:
    """Return a payload."""
    return json.dumps({"timestamp": timestamp, **fields}).encode()


@pytest.fixture
def joining() -> Joining:
    """Join the messages of a device."""
    return Joining("a/d", READING)


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


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[1]", b"{"])
def test_what_is_no_uplink(joining: Joining, payload: bytes) -> None:
    """A message that is no JSON object is refused."""
    with pytest.raises(msgspec.DecodeError):
        list(joining.take(UPLINK, payload, 0.0))
