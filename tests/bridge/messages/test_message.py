"""The message has the topic and the form that consumers and the rule read."""

import pytest
from msgspec.structs import replace

from bridge.messages.message import build
from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.messages.uplink import Uplink
from contract.deployment import UNNAMED
from lab.rig.uplinks import uplink_of
from tests.bridge.sources.semtech.frames import LAYOUT_1, LAYOUT_2, RECEIVED

BARE = Uplink("37817737f13", "9372163", 1, b"\x01\xfe", None, None, (), ())


def test_topic() -> None:
    """The topic is lora/APPEUI/MOTEEUI."""
    assert build(BARE, RECEIVED, UNNAMED).topic == "lora/37817737f13/9372163"


def test_bytes_come_first_then_the_timestamp() -> None:
    """A bare uplink is the list of its bytes and its time, in compact JSON."""
    expected = b'{"port1_bytes":[1,254],"timestamp":"2015-10-15T11:51:00.123456Z"}'
    assert build(BARE, RECEIVED, UNNAMED).payload == expected


def test_everything_the_frame_has() -> None:
    """seqno, motetx and gwrx follow as the frame has them."""
    uplink = uplink_of(LAYOUT_1)
    assert build(uplink, RECEIVED, UNNAMED).payload == (
        b'{"port1_bytes":[1,254],"timestamp":"2015-10-15T11:51:00.123456Z","seqno":12,'
        b'"motetx":{"freq":868.1,"modu":"LORA","datr":"SF7BW125","codr":"4/5","adr":true},'
        b'"gwrx":[{"eui":"b827ebfffe000001","time":"2015-10-15T11:51:00.123456Z",'
        b'"timefromgateway":true,"chan":0,"rfch":1,"rssi":-57,"lsnr":9.2}]}'
    )


@pytest.mark.parametrize(("port", "data"), [(0, b""), (255, bytes(range(256)))])
def test_any_port_and_bytes(port: int, data: bytes) -> None:
    """The port is part of the key; every byte value is a number, none an empty list."""
    payload = build(replace(BARE, port=port, data=data), RECEIVED, UNNAMED).payload
    numbers = ",".join(str(byte) for byte in data)
    assert payload.startswith(f'{{"port{port}_bytes":[{numbers}],'.encode())


def test_payload_beyond_the_limit_of_aws_iot() -> None:
    """More than AWS IoT takes is refused, as it would close the connection again and again."""
    build(replace(BARE, data=b"\0" * 65_000), RECEIVED, UNNAMED)
    with pytest.raises(FrameRejectedError) as caught:
        build(replace(BARE, data=b"\xff" * 40_000), RECEIVED, UNNAMED)
    assert caught.value.reason is Reason.OVERSIZED


def test_metadata_at_the_depth_limit_is_written_or_refused() -> None:
    """Nesting that can be read but not written is a rejection, at every depth."""
    reasons = set()
    for depth in (*range(700, 1100, 7), *range(1100, 30_000, 997)):
        motetx = f'{{"deep":{"[" * depth}{"]" * depth}}}'
        try:
            uplink = uplink_of(LAYOUT_2.replace(b"868.1", motetx.encode()), "a1")
            build(uplink, RECEIVED, UNNAMED)
        except FrameRejectedError as error:
            reasons.add(error.reason)
    assert reasons == {Reason.NESTED_TOO_DEEP}
