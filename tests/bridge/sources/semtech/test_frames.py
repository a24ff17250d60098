"""Semtech's frames become uplinks, in both layouts; bad ones are refused with the reason."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.sources.semtech.frames import parse
from lab.rig.uplinks import uplink_of
from tests.bridge.sources.semtech.frames import LAYOUT_1, LAYOUT_2, RECEIVED, frame, with_userdata


def test_layout_1() -> None:
    """The layout with everything in userdata gives every field."""
    uplink = uplink_of(LAYOUT_1)
    assert (uplink.application, uplink.device) == ("37817737f13", "9372163")
    assert (uplink.port, uplink.data, uplink.seqno) == (1, b"\x01\xfe", 12)
    assert uplink.motetx is not None
    assert uplink.motetx["modu"] == "LORA"
    assert [reception["rssi"] for reception in uplink.gwrx] == [-57]
    assert uplink.received_at == (RECEIVED,)


def test_layout_2() -> None:
    """The layout with everything beside userdata gives the same, but for what it lacks."""
    uplink = uplink_of(LAYOUT_2, application="37817737f13")
    assert (uplink.application, uplink.device) == ("37817737f13", "9372163")
    assert (uplink.port, uplink.data, uplink.seqno) == (1, b"\x01\xfe", 12)
    assert uplink.motetx == {"freq": 868.1, "datr": "SF7BW125", "codr": "4/5", "adr": True}
    assert uplink.received_at == ()


def test_only_user_words() -> None:
    """A server told to send only `user` gives an uplink without radio parameters."""
    uplink = uplink_of(frame())
    assert (uplink.seqno, uplink.motetx, uplink.gwrx) == (None, None, ())


def test_frame_names_its_application_before_the_listener() -> None:
    """The configured application serves only frames without appeui."""
    assert uplink_of(frame(appeui="a1"), application="b2").application == "a1"
    assert uplink_of(frame(appeui=None), application="b2").application == "b2"


@pytest.mark.parametrize(
    ("eui", "text"),
    [
        ("9372163", "9372163"),
        ("00-11-AA-ff", "00-11-aa-ff"),
        ("B827EBFFFE000001", "b827ebfffe000001"),
        ("Meter-7.A", "Meter-7.A"),
        (0x9372163, "9372163"),
        (0xAB, "ab"),
        (0, "0"),
        ("x" * 64, "x" * 64),
    ],
)
def test_euis_are_hexadecimal_in_small_letters(eui: object, text: str) -> None:
    """Whichever case the network server writes, and for a number; a name keeps its spelling."""
    assert uplink_of(frame(moteeui=eui)).device == text
    assert uplink_of(frame(appeui=eui)).application == text


@pytest.mark.parametrize(
    "eui",
    ["", "a/b", "+", "#", "$aws", "a b", "é", "a\n", "x" * 65, -1, True, 1.5, [], {}, 16**64],
)
def test_no_eui_reaches_another_topic(eui: object) -> None:
    """What is not an EUI is refused, so nothing in a frame can choose another topic."""
    for bad in (frame(moteeui=eui), frame(appeui=eui)):
        with pytest.raises(FrameRejectedError) as caught:
            parse(bad, None)
        assert caught.value.reason in (Reason.BAD_EUI, Reason.NOT_JSON)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"hello", Reason.NOT_JSON),
        (b'{"app":NaN}', Reason.NOT_JSON),
        (b'{"app":{}}{', Reason.NOT_JSON),
        (b"1" * 5000, Reason.NOT_JSON),
        (b'{"app":"\xff"}', Reason.NOT_UTF8),
        (b"\xff", Reason.NOT_UTF8),
        (b"[" * 1_000_000, Reason.NESTED_TOO_DEEP),
        (b'{"a":' * 1_000_000, Reason.NESTED_TOO_DEEP),
        (b"[]", Reason.NOT_AN_OBJECT),
        (b'"app"', Reason.NOT_AN_OBJECT),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"{}", Reason.NO_APP),
        (b'{"app":1}', Reason.NO_APP),
        (b'{"app":[]}', Reason.NO_APP),
        (frame(dir="dn"), Reason.NOT_UP),
        (frame(dir=None), Reason.NOT_UP),
        (frame(userdata=None), Reason.BAD_USERDATA),
        (frame(userdata="x"), Reason.BAD_USERDATA),
        (with_userdata(payload=None), Reason.BAD_USERDATA),
        (with_userdata(payload=7), Reason.BAD_USERDATA),
        (with_userdata(port=None), Reason.BAD_PORT),
        (with_userdata(port=-1), Reason.BAD_PORT),
        (with_userdata(port=256), Reason.BAD_PORT),
        (with_userdata(port="1"), Reason.BAD_PORT),
        (with_userdata(port=True), Reason.BAD_PORT),
        (with_userdata(port=1.0), Reason.BAD_PORT),
        (with_userdata(payload="A"), Reason.BAD_PAYLOAD),
        (with_userdata(payload="A==="), Reason.BAD_PAYLOAD),
        (with_userdata(payload="Af!="), Reason.BAD_PAYLOAD),
        (with_userdata(payload="é"), Reason.BAD_PAYLOAD),
        (with_userdata(payload="Af4=Af4="), Reason.BAD_PAYLOAD),
        (frame(appeui=None), Reason.NO_APPLICATION),
        (frame(moteeui=None), Reason.BAD_EUI),
    ],
)
def test_bad_input_is_refused_with_its_reason(bad: bytes, reason: Reason) -> None:
    """Each kind of bad input has its own reason."""
    with pytest.raises(FrameRejectedError) as caught:
        parse(bad, None)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "other",
    [{"mote": {}}, {"join": {}}, {"mote": 7}, {"something": "newer"}],
)
def test_other_messages_are_no_uplinks(other: object) -> None:
    """Objects of another kind are told apart from bad input."""
    assert parse(json.dumps(other).encode(), None) is None


@pytest.mark.parametrize(
    ("payload", "data"),
    [
        ("", b""),
        ("AQ==", b"\1"),
        ("AQ", b"\1"),
        ("AQI=", b"\1\2"),
        ("AQI", b"\1\2"),
        ("AQID", b"\1\2\3"),
    ],
)
def test_payload_with_and_without_padding(payload: str, data: bytes) -> None:
    """Base64 is read with its padding and without."""
    assert uplink_of(with_userdata(payload=payload)).data == data


def test_every_port_there_is() -> None:
    """Every FPort of one octet is accepted."""
    for port in (0, 1, 223, 255):
        assert uplink_of(with_userdata(port=port)).port == port


def test_single_reception_without_a_list() -> None:
    """A gwrx that is one object is a list of one."""
    assert uplink_of(frame(gwrx={"rssi": -7})).gwrx == ({"rssi": -7},)


@pytest.mark.parametrize("time", ["", None, "yesterday", 12, "2015-13-01T00:00:00Z"])
def test_reception_without_a_usable_time(time: object) -> None:
    """A missing, empty or senseless time is no time, and no reason to refuse."""
    uplink = uplink_of(frame(gwrx=[{"rssi": -7, "time": time}]))
    assert uplink.received_at == ()
    assert len(uplink.gwrx) == 1


def test_odd_metadata_does_not_cost_the_uplink() -> None:
    """Radio metadata of the wrong type is left out; the data gets through."""
    uplink = uplink_of(frame(seqno="12", motetx=[], gwrx=["x", 3, {"rssi": -7}]))
    assert (uplink.seqno, uplink.motetx, uplink.gwrx) == (None, None, ({"rssi": -7},))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.binary() | st.dictionaries(st.text(), JSON).map(lambda value: json.dumps(value).encode()))
def test_nothing_but_a_rejection_comes_of_any_bytes(data: bytes) -> None:
    """Whatever the bytes, the outcome is an uplink, another kind, or a rejection."""
    try:
        parse(data, "a1")
    except FrameRejectedError as error:
        assert error.reason in Reason


@given(JSON, JSON, JSON, JSON, JSON)
def test_any_value_in_any_field(
    dir_: object, port: object, eui: object, tx: object, rx: object
) -> None:
    """Whatever stands in the fields of a frame, it is an uplink or a rejection."""
    for data in (
        frame(dir=dir_, moteeui=eui),
        frame(userdata={"port": port, "payload": "", "motetx": tx}, gwrx=rx, appeui=eui),
    ):
        try:
            parse(data, None)
        except FrameRejectedError as error:
            assert error.reason in Reason
