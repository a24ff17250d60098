"""What ChirpStack tells of devices becomes events, and what it tells of downlinks answers."""

import pytest

from bridge.messages.downlink import Answer
from bridge.messages.event import DeviceEvent, Notice
from bridge.messages.uplink import JsonObject
from contract.downlinks import State
from contract.names import EventType
from tests.bridge.sources.chirpstack.published import (
    APPLICATION_ID,
    DEV_EUI,
    RECEIVED,
    TIME,
    device,
    event,
    of_scene,
    read,
)

ITEM = "62bf2043-68e9-4c06-8fed-c18720a22c6e"


def notice(kind: str, **fields: object) -> Notice:
    """Return what an event with these fields tells.

    Raises:
        TypeError: it is an uplink.

    """
    content = read(event(**fields), kind)
    if not isinstance(content, Notice):
        raise TypeError(kind)
    return content


def told(kind: str, **fields: object) -> DeviceEvent:
    """Return the one event of a device that an event tells."""
    (only,) = notice(kind, **fields).events
    return only


def fields_of(kind: str, **fields: object) -> JsonObject:
    """Return the fields of that event."""
    return told(kind, **fields).fields


def answer(code: str, level: str = "ERROR", description: str = "", **context: str) -> Answer | None:
    """Return what a log with this code answers, None if nothing."""
    fields = {"level": level, "code": code, "description": description, "context": context}
    answers = notice("log", **fields).answers
    assert len(answers) <= 1
    return answers[0] if answers else None


def test_a_join() -> None:
    """It has the new address, the device's name, the server's time and its identity."""
    joined = told(
        "join", deduplicationId="d", devAddr="00a67c21", deviceInfo=device(deviceName="probe-12")
    )
    assert joined == DeviceEvent(
        source="chirpstack",
        kind=EventType.JOIN,
        application=APPLICATION_ID,
        device=DEV_EUI,
        fields={"devaddr": "00a67c21", "name": "probe-12"},
        time=RECEIVED,
        identity="join d",
    )


def test_a_status() -> None:
    """Margin and battery, which is none where it is not known or the power comes from outside."""
    assert fields_of("status", margin=-1, batteryLevel=59.055119) == {
        "margin": -1,
        "external_power": False,
        "battery": 59.055,
    }
    outside = fields_of("status", externalPowerSource=True, batteryLevel=0.0)
    assert (outside["external_power"], outside["battery"]) == (True, None)
    unknown = fields_of("status", batteryLevelUnavailable=True, batteryLevel=0.0)
    assert (unknown["external_power"], unknown["battery"]) == (False, None)


def test_an_empty_battery_is_one() -> None:
    """Zero percent is left out by a ChirpStack 4.0, and is a level nevertheless."""
    assert fields_of("status") == {"margin": 0, "external_power": False, "battery": 0.0}


def test_a_location() -> None:
    """Degrees and metres, and where they come from if that is said."""
    place = {"latitude": 47.1, "longitude": -8.5000000001, "altitude": 430.0, "source": "GPS"}
    assert fields_of("location", location=place | {"accuracy": 12}) == {
        "latitude": 47.1,
        "longitude": -8.5,
        "altitude": 430.0,
        "accuracy": 12.0,
        "source_of_location": "GPS",
    }
    nowhere = {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0, "accuracy": 0.0}
    assert fields_of("location", location={}) == nowhere
    assert fields_of("location") == nowhere


def test_a_log() -> None:
    """Level, code, description and context, as ChirpStack has them."""
    context = {"f_cnt_up": "10", "": "nameless"}
    assert fields_of("log", level="WARNING", code="X", description="a\nb", context=context) == {
        "level": "WARNING",
        "code": "X",
        "description": "a\nb",
        "context": {"f_cnt_up": "10"},
    }


def test_events_of_one_frame_have_identities_of_their_own() -> None:
    """They share the server's name for the frame."""
    kinds = ("join", "status", "location", "log")
    identities = {told(kind, deduplicationId="d").identity for kind in kinds}
    assert identities == {f"{kind} d" for kind in kinds}


def test_logs_are_known_by_what_they_say() -> None:
    """They have no id: one that comes again is the same, any difference makes another."""
    log: dict[str, object] = {"level": "ERROR", "code": "OTAA", "context": {"dev_nonce": "1"}}
    assert told("log", **log).identity == told("log", **log).identity
    others = [
        log | {"context": {"dev_nonce": "2"}},
        log | {"code": "UPLINK_MIC"},
        log | {"time": "2026-11-25T04:32:42.419+00:00"},
    ]
    identities = {told("log", **each).identity for each in (log, *others)}
    assert len(identities) == 4


def test_events_without_a_time_have_the_hosts() -> None:
    """A ChirpStack sets it; nothing is lost if it does not."""
    assert told("join", time=None).time is None
    assert told("join", time=TIME).time == RECEIVED


def test_a_gateway_has_taken_a_downlink() -> None:
    """It was sent, and is no event by itself."""
    assert notice("txack", downlinkId=1, queueItemId=ITEM, gatewayId="a") == Notice(
        answers=(Answer(State.SENT, DEV_EUI, ITEM),)
    )


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"acknowledged": True}, State.ACKNOWLEDGED),
        ({"acknowledged": False}, State.NOT_ACKNOWLEDGED),
        ({}, State.NOT_ACKNOWLEDGED),
        ({"deduplicationId": "", "acknowledged": False}, State.NOT_ACKNOWLEDGED),
    ],
)
def test_a_device_has_confirmed_a_downlink_or_not(said: dict[str, object], state: State) -> None:
    """A time-out has no id of an uplink, and counts as well."""
    assert notice("ack", queueItemId=ITEM, **said) == Notice(
        answers=(Answer(state, DEV_EUI, ITEM),)
    )


@pytest.mark.parametrize("kind", ["ack", "txack"])
def test_an_answer_without_an_id_is_of_no_downlink(kind: str) -> None:
    """An empty id is nobody's: it must not be taken for that of any downlink that waits."""
    (only,) = notice(kind).answers
    assert only.reference == ""


def test_a_downlink_that_expired() -> None:
    """The log of a real one is an event and an answer."""
    content = read(of_scene("expiresAt passed", "log").payload, "log")
    assert isinstance(content, Notice)
    assert [each.kind for each in content.events] == [EventType.LOG]
    assert content.answers == (
        Answer(State.EXPIRED, DEV_EUI, ITEM, "it expired in the network server's queue"),
    )


@pytest.mark.parametrize(
    ("code", "context", "reason"),
    [
        (
            "DOWNLINK_PAYLOAD_SIZE",
            {"item_size": "240", "max_payload_size": "51"},
            "too long: 240 bytes, of which the data rate takes 51",
        ),
        ("DOWNLINK_PAYLOAD_SIZE", {}, "too long: ? bytes, of which the data rate takes ?"),
        ("F_CNT_DOWN", {"device_f_cnt_down": "7"}, "its frame counter was used meanwhile"),
        ("DOWNLINK_CODEC", {}, "DOWNLINK_CODEC: why"),
        ("NEW", {}, "NEW: why"),
    ],
)
def test_a_downlink_that_failed(code: str, context: dict[str, str], reason: str) -> None:
    """An error that names a downlink says why it will not be sent."""
    found = answer(code, description="why", queue_item_id=ITEM, **context)
    assert found == Answer(State.FAILED, DEV_EUI, ITEM, reason)


@pytest.mark.parametrize("level", ["INFO", "WARNING", ""])
def test_a_log_that_is_no_error_ends_no_downlink(level: str) -> None:
    """It is told, and no more."""
    assert answer("NEW", level, queue_item_id=ITEM) is None


@pytest.mark.parametrize("context", [{}, {"queue_item_id": ""}, {"deduplication_id": ITEM}])
def test_a_log_that_names_no_downlink_answers_nothing(context: dict[str, str]) -> None:
    """A gateway that refuses one does not say which: ChirpStack tries that again."""
    assert answer("DOWNLINK_GATEWAY", description="TOO_LATE", **context) is None
    assert answer("EXPIRED", **context) is None


def test_a_reason_is_not_endless() -> None:
    """However much ChirpStack says, the downlink's own event has room for it."""
    found = answer("NEW", description="x" * 100_000, queue_item_id=ITEM)
    assert found is not None
    assert found.reason == "NEW: " + "x" * 995
    sizes = {"item_size": "9" * 100_000, "max_payload_size": "9" * 100_000}
    found = answer("DOWNLINK_PAYLOAD_SIZE", queue_item_id=ITEM, **sizes)
    assert found is not None
    assert len(found.reason) == 1000
