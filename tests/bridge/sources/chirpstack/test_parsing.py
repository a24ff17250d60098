"""Each event is told apart from all else, and is its own device's."""

import json
from typing import cast

import msgspec
import pytest
from chirpstack_api import integration

from bridge.config import ChirpStack
from bridge.messages.event import Notice
from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.messages.uplink import Uplink
from bridge.sources.chirpstack.parsing import Parser
from tests.bridge.sources.chirpstack.published import (
    APPLICATION_ID,
    DEFAULT,
    DEV_EUI,
    EVENTS,
    PROTOBUF,
    device,
    event,
    of_scene,
    rejection,
    topic,
    uplink,
)

_TOLD = """
join 12 devaddr=00a67c21
up 12 0: 2 d7010203
up 12 2: 9 01
log 12 ERROR UPLINK_CODEC
up 12 3: 0
up 12 4: 0
up 12 6: 5
up 12 7: 3 000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
up 12 10: 2 01
log 12 WARNING UPLINK_F_CNT_RETRANSMISSION
up 21 5: 1 01
log 21 WARNING UPLINK_F_CNT_RESET
up 12 14: 2 01
txack 12 sent 75bf2cc4
up 12 15: 2 01
txack 12 sent 2d10efe9
up 12 16: 2 01
ack 12 acknowledged 2d10efe9
up 12 19: 2 01
txack 12 sent 78f87b25
up 12 20: 2 01
log 12 expired 62bf2043 ERROR EXPIRED
up 12 22: 2 01
log 12 ERROR DOWNLINK_GATEWAY
up 12 23: 2 01
txack 12 sent 23242aae
up 12 24: 2 01
up 12 25: 2 01
txack 12 sent 7cdcf841
join 13 devaddr=006f6c49
up 13 0: 2 01
join 13 devaddr=01930f66
join 40 devaddr=019ab588
txack 30 sent 504ddc24
up 40 0: 1 01
up 40 1: 1 01
status 40 margin=-1 battery=100.0
up 40 2: 1 01
up 40 3: 1 01
status 40 margin=10 battery=None
log 13 ERROR UPLINK_MIC
"""  # noqa: E501


def told(content: Uplink | Notice | None) -> str:
    """Return in a few words what an event tells."""
    if isinstance(content, Uplink):
        return f"{content.device[-2:]} {content.seqno}: {content.port} {content.data.hex()}"
    assert content is not None
    devices = {each.moteeui[-2:] for each in content.answers}
    devices |= {each.device[-2:] for each in content.events}
    words = [f"{each.state} {(each.reference or '')[:8]}" for each in content.answers]
    for each in content.events:
        shown = {name: each.fields.get(name) for name in ("devaddr", "margin", "battery")}
        words += [f"{name}={value}" for name, value in shown.items() if name in each.fields]
        words += [str(each.fields[name]) for name in ("level", "code") if name in each.fields]
    return " ".join([*devices, *words])


def test_everything_that_a_server_has_published() -> None:
    """Each event of a real server tells what happened, in an application that is ChirpStack's."""
    parser = Parser(DEFAULT)
    lines = []
    for each in EVENTS:
        read = parser.read(each.topic, each.payload)
        assert (read.application, read.application_id) == (APPLICATION_ID, APPLICATION_ID)
        assert read.device == each.topic.split("/")[3]
        lines.append(f"{each.kind} {told(read.content)}".rstrip())
    assert lines == _TOLD.split("\n")[1:-1]


def test_a_tag_comes_before_the_configuration_and_that_before_the_id() -> None:
    """The application is what the tag holds, or what the table has, or ChirpStack's own id."""
    settings = ChirpStack(application_tag="app_eui", applications={APPLICATION_ID.upper(): "0A-B1"})
    tagged = event(deviceInfo=device(tags={"app_eui": "70B3D57ED0000001", "row": "12"}))
    untagged = event(deviceInfo=device(tags={"app_eui": "", "row": "12"}))
    other_id = "00000000-0000-0000-0000-000000000001"
    foreign = event(deviceInfo=device(applicationId=other_id))
    parser = Parser(settings)
    found = [
        parser.read(topic(), tagged),
        parser.read(topic(), untagged),
        parser.read(topic(), event()),
        parser.read(topic(application_id=other_id), foreign),
        Parser(DEFAULT).read(topic(), tagged),
    ]
    assert [each.application for each in found] == [
        "70b3d57ed0000001",
        "0a-b1",
        "0a-b1",
        other_id,
        APPLICATION_ID,
    ]
    assert [each.application_id for each in found] == [
        *[APPLICATION_ID] * 3,
        other_id,
        APPLICATION_ID,
    ]


@pytest.mark.parametrize("tag", ["a/b", "+", "#", "x" * 65, "é", "a b"])
def test_a_tag_that_is_no_application_is_refused(tag: str) -> None:
    """It does not give way to another application: the device would have two histories."""
    payload = event(deviceInfo=device(tags={"app": tag}))
    assert rejection(topic(), payload, ChirpStack(application_tag="app")) is Reason.BAD_EUI


@pytest.mark.parametrize("field", ["applicationId", "devEui"])
@pytest.mark.parametrize("odd", ["", "a/b", "../+/#", "x" * 65, "é", "a\n"])
def test_no_id_reaches_another_topic(field: str, odd: str) -> None:
    """Where the topic does not say it, an id is checked, tagged or not: topics are made of it."""
    settings = ChirpStack(event_topic="{{event}}", application_tag="app")
    payload = event(deviceInfo=device(tags={"app": "a1"}, **{field: odd}))
    assert rejection("up", payload, settings) is Reason.BAD_EUI


@pytest.mark.parametrize(
    ("where", "fields"),
    [
        (topic(), {"devEui": "70b3d57ed0aa0013"}),
        (topic(), {"applicationId": "00000000-0000-0000-0000-000000000001"}),
        (topic(dev_eui="70b3d57ed0aa0013"), {}),
        (topic(application_id="a"), {}),
    ],
)
def test_an_event_is_on_its_own_devices_topic(where: str, fields: dict[str, object]) -> None:
    """A payload that names another device or application than its topic is refused."""
    assert rejection(where, event(deviceInfo=device(**fields))) is Reason.OTHER_DEVICE


def test_case_makes_no_other_device() -> None:
    """Hexadecimal has one case, whichever the topic or the payload has."""
    assert rejection(topic(dev_eui=DEV_EUI.upper()), event()) is None
    read = Parser(DEFAULT).read(topic(), event(deviceInfo=device(devEui=DEV_EUI.upper())))
    assert read.device == DEV_EUI


def test_a_template_that_leaves_names_out() -> None:
    """The payload alone says whose event it is."""
    settings = ChirpStack(event_topic="plant/{{ event }}")
    read = Parser(settings).read("plant/up", event(fPort=3))
    assert (read.application, read.device) == (APPLICATION_ID, DEV_EUI)


def test_unknown_kinds_are_passed_over_or_told_whole() -> None:
    """As text, so that no number and no name in it costs the event its row."""
    payload = event(integrationName="x", object={"": 1e300}, deduplicationId="d")
    assert Parser(DEFAULT).read(topic("integration"), payload).content is None
    notice = Parser(DEFAULT, others=True).read(topic("integration"), payload).content
    assert isinstance(notice, Notice)
    (told,) = notice.events
    assert told.fields == {"event": "integration", "frame": payload.decode()}
    assert (told.kind, told.device, told.identity) == ("other", DEV_EUI, "other d")


@pytest.mark.parametrize("odd", [b'"\xff"', b"1e999", b"9" * 5000, b'"\\ud800"', b"[" * 2000])
def test_unknown_kinds_with_odd_content_are_told_or_refused(odd: bytes) -> None:
    """Nothing in what is passed over otherwise breaks the reading."""
    payload = event()[:-1] + b',"x":' + odd + b"}"
    try:
        read = Parser(DEFAULT, others=True).read(topic("new"), payload)
    except FrameRejectedError as error:
        assert error.reason in {Reason.NOT_UTF8, Reason.NOT_JSON, Reason.NESTED_TOO_DEEP}
    else:
        assert read.content is not None


@pytest.mark.parametrize("kind", ["up", "join", "ack", "txack", "status", "location", "log", "new"])
def test_unknown_fields_are_passed_over(kind: str) -> None:
    """What a later ChirpStack adds does no harm."""
    more = {"new": {"a": [1, None]}, "deviceInfo": device(new=1, deviceClassEnabled="CLASS_D")}
    assert rejection(topic(kind), event(**more)) is None


V3 = {
    "protobuf's JSON": {
        "applicationID": "7",
        "applicationName": "soil",
        "deviceName": "probe-12",
        "devEUI": "cLPVftCqABI=",
        "rxInfo": [{"gatewayID": "ABbAAf8QojU=", "rssi": -60, "loRaSNR": 7.5}],
        "txInfo": {"frequency": 868100000, "loRaModulationInfo": {"bandwidth": 125}},
        "fPort": 2,
        "data": "AQ==",
        "objectJSON": '{"temperature":21.5}',
    },
    "json_v3": {
        "applicationID": "7",
        "deviceName": "probe-12",
        "devEUI": DEV_EUI,
        "rxInfo": [{"gatewayID": "0016c001ff10a235", "loRaSNR": 7.5}],
        "txInfo": {"frequency": 868100000, "dr": 5},
        "object": {"temperature": 21.5},
    },
    "join": {"applicationID": "7", "devEUI": DEV_EUI, "devAddr": "00a67c21"},
    "error": {"applicationID": "7", "devEUI": DEV_EUI, "type": "OTAA", "error": "MIC"},
    "no application": {"devEUI": DEV_EUI},
}


@pytest.mark.parametrize("content", V3.values(), ids=V3.keys())
@pytest.mark.parametrize("kind", ["up", "join", "status", "error"])
@pytest.mark.parametrize("indent", [None, 2])
def test_chirpstack_v3_is_told_apart(
    content: dict[str, object], kind: str, indent: int | None
) -> None:
    """Its events are refused as such, in each of its forms."""
    payload = json.dumps(content, indent=indent).encode()
    assert rejection(topic(kind, application_id="7"), payload) is Reason.CHIRPSTACK_V3


@pytest.mark.parametrize(
    "kind",
    [
        integration.UplinkEvent,
        integration.JoinEvent,
        integration.AckEvent,
        integration.TxAckEvent,
        integration.StatusEvent,
        integration.LocationEvent,
        integration.LogEvent,
    ],
)
@pytest.mark.parametrize("nanos", [None, 0, 1_000_000, 999_999_999])
@pytest.mark.parametrize("named", [False, True])
def test_protobuf_is_told_apart(kind: type, nanos: int | None, named: bool) -> None:  # noqa: FBT001
    """Every event of a server with ``json = false`` is refused as such, whatever it leaves out."""
    made = kind(device_info=integration.DeviceInfo(application_id="a", dev_eui="d"))
    if nanos is not None:
        made.time.FromNanoseconds(1_795_581_162 * 10**9 + nanos)
    first = made.DESCRIPTOR.fields[0]
    if named and first.name != "time":
        setattr(made, first.name, 2_214_741_731 if first.name == "downlink_id" else "e3fe492a")
    assert rejection(topic(), cast("bytes", made.SerializeToString())) is Reason.PROTOBUF


def test_what_a_server_has_published_as_protobuf() -> None:
    """It is refused as such."""
    assert rejection(topic(), PROTOBUF) is Reason.PROTOBUF


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"hello", Reason.NOT_JSON),
        (b'"hello', Reason.NOT_JSON),
        (b"\xef\xbb\xbf{}", Reason.NOT_JSON),
        (event()[:-1], Reason.NOT_JSON),
        (event() + b"{", Reason.NOT_JSON),
        (b'{"deviceInfo":NaN}', Reason.NOT_JSON),
        (b"\xff", Reason.NOT_UTF8),
        (event().replace(b'"time": "2', b'"time": "\xff'), Reason.NOT_UTF8),
        (event()[:-1] + b',"object":{"a":"\xff"}}', Reason.NOT_UTF8),
        (b'{"x":' + b"[" * 100_000, Reason.NESTED_TOO_DEEP),
        (b'{"deviceInfo":' * 100_000, Reason.NESTED_TOO_DEEP),
        (event()[:-1] + b',"object":' + b'{"a":' * 100_000, Reason.NESTED_TOO_DEEP),
        (b"[]", Reason.NOT_AN_EVENT),
        (b"[" + event() + b"]", Reason.NOT_AN_EVENT),
        (b'"up"', Reason.NOT_AN_EVENT),
        (b"7", Reason.NOT_AN_EVENT),
        (b"null", Reason.NOT_AN_EVENT),
        (b"{}", Reason.NOT_AN_EVENT),
        (b'{"app":{"appeui":"a","moteeui":"d","dir":"up"}}', Reason.NOT_AN_EVENT),
        (event(deviceInfo=None), Reason.NOT_AN_EVENT),
        (event(deviceInfo=[]), Reason.NOT_AN_EVENT),
        (event(deviceInfo={}), Reason.NOT_AN_EVENT),
        (event(deviceInfo=device(devEui=7)), Reason.NOT_AN_EVENT),
        (event(deviceInfo=device(devEui=None)), Reason.NOT_AN_EVENT),
        (event(deviceInfo=device(applicationId=None)), Reason.NOT_AN_EVENT),
        (event(deviceInfo=device(tags={"a": 1})), Reason.NOT_AN_EVENT),
        (event(time=7), Reason.NOT_AN_EVENT),
        (event(fPort="two"), Reason.NOT_AN_EVENT),
        (event(fPort=-1), Reason.NOT_AN_EVENT),
        (event(fPort=1.5), Reason.NOT_AN_EVENT),
        (event(fCnt=2**32), Reason.NOT_AN_EVENT),
        (event(fCnt=10**400), Reason.NOT_AN_EVENT),
        (event(data=[1]), Reason.NOT_AN_EVENT),
        (event(adr=7), Reason.NOT_AN_EVENT),
        (event(rxInfo={}), Reason.NOT_AN_EVENT),
        (event(rxInfo=[{"rssi": -(2**31) - 1}]), Reason.NOT_AN_EVENT),
        (event(rxInfo=[{"snr": 1e300}]), Reason.NOT_AN_EVENT),
        (event(rxInfo=[{"snr": "NaN"}]), Reason.NOT_AN_EVENT),
        (event(rxInfo=[{"snr": "-Infinity"}]), Reason.NOT_AN_EVENT),
        (event(txInfo={"frequency": 2**32}), Reason.NOT_AN_EVENT),
        (event(fPort=256), Reason.BAD_PORT),
        (event(fPort=2**32 - 1), Reason.BAD_PORT),
        (event(data="%"), Reason.BAD_PAYLOAD),
        (event(data="A"), Reason.BAD_PAYLOAD),
        (event(data="é"), Reason.BAD_PAYLOAD),
        (event(data="_-8="), Reason.BAD_PAYLOAD),
    ],
)
def test_what_is_no_event_is_refused_with_its_reason(payload: bytes, reason: Reason) -> None:
    """Each kind of bad input has its own reason."""
    assert rejection(topic(), payload) is reason


def test_numbers_may_be_texts() -> None:
    """As protobuf's JSON has those of 64 bits."""
    read = uplink(event(fPort="2", fCnt="7", rxInfo=[{"rssi": "-60", "snr": "7.5"}]))
    assert (read.port, read.seqno) == (2, 7)
    assert (read.gwrx[0]["rssi"], read.gwrx[0]["lsnr"]) == (-60, 7.5)


def test_a_retained_message_is_refused() -> None:
    """It came long ago, and would come again at each connection."""
    payload = of_scene("uplink").payload
    assert rejection(topic(), payload, retained=True) is Reason.RETAINED


@pytest.mark.parametrize("where", ["", "application/a/device/d/command/down", "eu868/" + topic()])
def test_another_topic_is_refused(where: str) -> None:
    """Whatever is on it."""
    assert rejection(where, event()) is Reason.OTHER_TOPIC
    assert not Parser(DEFAULT).takes(where)


def test_an_event_is_read_the_same_each_time() -> None:
    """Two deliveries of an event have one identity, and a device's two events never."""
    parser = Parser(DEFAULT)
    identities = []
    for each in EVENTS:
        once, again = (parser.read(each.topic, each.payload).content for _ in range(2))
        assert once == again
        if isinstance(once, Uplink):
            identities.append((each.topic, once.identity))
        elif isinstance(once, Notice):
            identities += [(each.topic, told.identity) for told in once.events]
    assert len(set(identities)) == len(identities)
    assert all(identity for _, identity in identities)


def test_every_reading_of_a_server_goes_along_as_it_was_written() -> None:
    """Not a byte of what its codec made is changed."""
    found = 0
    for each in EVENTS:
        content = Parser(DEFAULT).read(each.topic, each.payload).content
        if not isinstance(content, Uplink):
            continue
        raw = msgspec.json.decode(each.payload, type=dict[str, msgspec.Raw]).get("object")
        assert content.more.get("object") == (bytes(raw).decode() if raw is not None else None)
        found += raw is not None
    assert found == 16
