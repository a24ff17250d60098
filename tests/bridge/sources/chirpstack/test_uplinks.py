"""ChirpStack's uplinks become the messages that consumers know, and nothing of them is lost."""

import json
from decimal import Decimal
from typing import cast

import pytest
from chirpstack_api import gw
from decoder.readings import Uplink as Stored
from decoder.readings import readings

from bridge.config import ChirpStack, Kept
from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.messages.uplink import Json
from codec.mapping import Mapping
from contract.rows import row_of
from contract.times import format_time
from tests.bridge.sources.chirpstack.published import (
    APPLICATION_ID,
    DEFAULT,
    DEV_EUI,
    TIME,
    device,
    event,
    message,
    of_scene,
    uplink,
)
from tests.bridge.sources.chirpstack.row_size import row_size

_MOTETX = '"motetx":{"freq":868.1,"modu":"LORA","datr":"SF7BW125","codr":"4/5","adr":true}'


def published(scene: str, settings: ChirpStack | None = None) -> str:
    """Return the payload of the message of a scene's first uplink."""
    first = of_scene(scene)
    return message(uplink(first.payload, settings or DEFAULT, first.topic)).payload.decode()


def with_reception(**fields: object) -> Json:
    """Return what becomes of one gateway's reception."""
    (reception,) = uplink(event(rxInfo=[fields])).gwrx
    return reception


def with_modulation(**modulation: object) -> dict[str, Json]:
    """Return what becomes of a modulation."""
    tx = uplink(event(txInfo={"frequency": 868100000, "modulation": modulation})).motetx
    assert tx is not None
    assert (tx["freq"], tx["adr"]) == (868.1, False)
    return {name: value for name, value in tx.items() if name not in {"freq", "adr"}}


def test_the_message_of_an_uplink_that_two_gateways_heard() -> None:
    """It has Semtech's form, the server's time, and what the server's codec made as text."""
    first = of_scene("first uplink, two gateways, GPS time, codec")
    made = message(uplink(first.payload))
    assert made.topic == f"lora/{APPLICATION_ID}/{DEV_EUI}"
    assert made.payload.decode() == (
        '{"port2_bytes":[215,1,2,3],"timestamp":"2026-11-25T04:32:42.418000Z","seqno":0,'
        f"{_MOTETX},"
        '"gwrx":[{"eui":"0016c001ff10a235","time":"2026-11-25T04:32:42.065940763+00:00",'
        '"chan":0,"rfch":0,"rssi":-60,"lsnr":7.5},'
        '{"eui":"0016c001ff10a236","time":"2026-11-25T04:32:42.066114281+00:00",'
        '"chan":1,"rfch":0,"rssi":-71,"lsnr":4.5}],"name":"probe-12",'
        r'"object":"{\"big\":1e+300,\"nested\":{\"list\":[1.0,2.5,null,\"é\"],\"flag\":true},'
        r'\"temperature\":21.5,\"port\":2.0}"}'
    )


def test_the_message_of_an_uplink_without_a_reading() -> None:
    """Where the server has no codec, or its codec throws, there is none."""
    assert published("codec throws") == (
        '{"port9_bytes":[1],"timestamp":"2026-11-25T04:32:43.369579Z","seqno":2,'
        f"{_MOTETX},"
        '"gwrx":[{"eui":"0016c001ff10a235","time":"2026-11-25T04:32:43.369579449+00:00",'
        '"chan":0,"rfch":0,"rssi":-60,"lsnr":7.5}],"name":"probe-12"}'
    )
    assert '"object"' not in published("counter check on: fcnt 5")


def test_frames_that_hold_no_data_of_the_application() -> None:
    """MAC commands alone, no FPort at all, and an empty payload are uplinks without bytes."""
    assert published("FPort 0: LinkCheckReq").startswith('{"port0_bytes":[],')
    assert published("no FPort, no payload").startswith('{"port0_bytes":[],')
    assert published("FPort 5, empty payload").startswith('{"port5_bytes":[],')


def test_a_confirmed_uplink_is_one_as_any_other() -> None:
    """What it carries goes along."""
    assert f'{{"port3_bytes":[{",".join("0" * 51)}],' in published("confirmed uplink")


def test_all_that_goes_along_if_one_wants_it() -> None:
    """With ``keep``, the device's tags and its profile's name."""
    settings = ChirpStack(keep=(Kept.PROFILE, Kept.TAGS))
    made = cast("dict[str, Json]", json.loads(published("codec throws", settings)))
    assert made["tags"] == {"site": "north", "row": "12", "app_eui": "70b3d57ed0000001"}
    assert made["profile"] == "probe"
    only = uplink(event(), ChirpStack(keep=(Kept.TAGS,)))
    assert only.more == {"tags": {}}


def test_a_tag_without_a_name_does_not_cost_the_row() -> None:
    """DynamoDB would refuse it: the tag is left out."""
    payload = event(deviceInfo=device(tags={"": "x", "a": ""}))
    assert uplink(payload, ChirpStack(keep=(Kept.TAGS,))).more == {"tags": {"a": ""}}


@pytest.mark.parametrize("context", [{"sessionKeyId": "0c", "appSKey": {"aesKey": "AQ=="}}, {}])
def test_bytes_that_are_still_encrypted_are_marked(context: dict[str, object]) -> None:
    """With a context of the join server, only the application's owner can read them."""
    assert uplink(event(joinServerContext=context)).more == {"encrypted": True}
    assert uplink(event()[:-1] + b',"joinServerContext": null}').more == {}


def test_the_time_is_the_servers() -> None:
    """Whatever its gateways say."""
    scene = uplink(of_scene("first uplink, two gateways, GPS time, codec").payload)
    assert scene.received_at == ()
    assert scene.time is not None
    assert format_time(scene.time) == "2026-11-25T04:32:42.418000Z"
    assert scene.identity == "e3fe492a-fb41-455a-a02f-f60888c0fe8b"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-25T04:32:42+00:00", "2026-11-25T04:32:42.000000Z"),
        ("2026-11-25T04:32:42.418+00:00", "2026-11-25T04:32:42.418000Z"),
        ("2026-11-25T04:32:42.418305+00:00", "2026-11-25T04:32:42.418305Z"),
        ("2026-11-25T04:32:42.418305999+00:00", "2026-11-25T04:32:42.418305Z"),
        ("2026-11-25T04:32:42.418305999Z", "2026-11-25T04:32:42.418305Z"),
        ("2026-11-25T05:32:42+01:00", "2026-11-25T04:32:42.000000Z"),
    ],
)
def test_times_have_any_number_of_digits(written: str, read: str) -> None:
    """None, three, six or nine; the timestamp has six."""
    time = uplink(event(time=written)).time
    assert time is not None
    assert format_time(time) == read


@pytest.mark.parametrize("written", [None, "", "noon", "2026-13-01T00:00:00Z"])
def test_without_a_time_it_is_the_hosts(written: str | None) -> None:
    """A time that nobody can read does not cost the uplink."""
    assert uplink(event(time=written)).time is None


def test_what_is_zero_may_be_left_out() -> None:
    """ChirpStack leaves it out of gateways' receptions, and a 4.0 everywhere."""
    assert with_reception(gatewayId="0016c001ff10a235") == {
        "eui": "0016c001ff10a235",
        "chan": 0,
        "rfch": 0,
        "rssi": 0,
        "lsnr": 0.0,
    }
    bare = uplink(event(fPort=2, data="AQ==", time=TIME))
    assert message(bare).payload == (
        b'{"port2_bytes":[1],"timestamp":"2026-11-25T04:32:42.418000Z","seqno":0}'
    )
    assert uplink(event(time=None)).port == 0


def test_a_gateways_time_stays_as_it_wrote_it() -> None:
    """A wrong clock shows; one without a clock says nothing."""
    wrong = with_reception(gatewayId="a", gwTime="2026-11-25T01:32:42+00:00")
    assert cast("dict[str, Json]", wrong)["time"] == "2026-11-25T01:32:42+00:00"
    assert "time" not in cast("dict[str, Json]", with_reception(gwTime=None))


@pytest.mark.parametrize(
    ("written", "lsnr"), [(9.2, 9.2), (-3.0, -3.0), (9.199999809265137, 9.2), (-1e-300, 0.0)]
)
def test_signal_to_noise_is_a_number_of_few_digits(written: float, lsnr: float) -> None:
    """Those of a float of 32 bits that say nothing are gone."""
    assert cast("dict[str, Json]", with_reception(snr=written))["lsnr"] == lsnr


@pytest.mark.parametrize("name", gw.CodeRate.keys())
def test_every_code_rate(name: str) -> None:
    """Each that ChirpStack has is written as Semtech's server does; an unknown one is left out."""
    code = name.removeprefix("CR_")
    expected = code.removeprefix("LI_").replace("_", "/") + "LI" * ("LI" in code)
    lora = with_modulation(lora={"bandwidth": 125000, "spreadingFactor": 7, "codeRate": name})
    hopping = with_modulation(lrFhss={"operatingChannelWidth": 137000, "codeRate": name})
    for made in (lora, hopping):
        assert made.get("codr") == (None if name == "CR_UNDEFINED" else expected)


@pytest.mark.parametrize(
    ("modulation", "made"),
    [
        (
            {"lora": {"bandwidth": 500000, "spreadingFactor": 12, "codeRate": "CR_LI_4_8"}},
            {"modu": "LORA", "datr": "SF12BW500", "codr": "4/8LI"},
        ),
        (
            {"lora": {"bandwidth": 812500, "spreadingFactor": 5, "codeRate": "CR_NEW"}},
            {"modu": "LORA", "datr": "SF5BW812.5"},
        ),
        ({"lora": {"bandwidth": 41670}}, {"modu": "LORA", "datr": "SF0BW41.67"}),
        ({"fsk": {"datarate": 50000, "frequencyDeviation": 25000}}, {"modu": "FSK", "datr": 50000}),
        ({"fsk": {}}, {"modu": "FSK", "datr": 0}),
        (
            {"lrFhss": {"operatingChannelWidth": 336000, "codeRate": "CR_2_6", "gridSteps": 8}},
            {"modu": "LR-FHSS", "datr": "CW336", "codr": "2/6"},
        ),
        ({"dsss": {}}, {}),
        ({}, {}),
    ],
)
def test_every_modulation(modulation: dict[str, object], made: dict[str, Json]) -> None:
    """LoRa, FSK and LR-FHSS have their own data rates; of an unknown one the frequency is left."""
    assert with_modulation(**modulation) == made


def test_a_frequency_is_in_mhz() -> None:
    """To the hertz; without a transmission there is none."""
    tx = uplink(event(txInfo={"frequency": 868100001})).motetx
    assert tx == {"freq": 868.100001, "adr": False}
    assert uplink(event(adr=True)).motetx is None


@pytest.mark.parametrize("said", ["{}", '{"a" : 1.0e+0 }', "[1]", '"text"', "7", "1e999", "false"])
def test_a_reading_goes_along_as_it_is_written(said: str) -> None:
    """The decoder alone judges it."""
    assert uplink(event()[:-1] + f',"object":{said}}}'.encode()).more == {"object": said}


def test_a_reading_that_is_null_is_none() -> None:
    """As if it were left out."""
    assert uplink(event()[:-1] + b',"object": null }').more == {}


def test_a_reading_that_is_too_large_stays_behind() -> None:
    """The uplink goes without; the text is empty, so that the decoder can say it."""
    fits, more = ({"a": "x" * (32_768 - 9 + extra)} for extra in (0, 1))
    kept, lost = (uplink(event(object=each)).more["object"] for each in (fits, more))
    assert kept == json.dumps(fits)
    assert lost == ""


def test_a_reading_that_is_not_utf8_is_refused() -> None:
    """It cannot go along as text, and is kept with the rejected frames."""
    with pytest.raises(FrameRejectedError) as caught:
        uplink(event()[:-1] + b',"object":{"a":"\xff"}}')
    assert caught.value.reason is Reason.NOT_UTF8


def test_the_row_of_a_usual_uplink_costs_one_write() -> None:
    """Three gateways, a name and five values, decoded: no more than a kilobyte in DynamoDB."""
    receptions = [
        {
            "gatewayId": f"0016c001ff10a23{number}",
            "gwTime": "2026-11-25T04:32:42.065940763+00:00",
            "rssi": -101 - number,
            "snr": -3.25,
            "channel": 5,
            "rfChain": 1,
        }
        for number in range(3)
    ]
    lora = {"bandwidth": 125000, "spreadingFactor": 7, "codeRate": "CR_4_5"}
    reading = {"temperature": 21.5, "humidity": 47.5, "battery": 3.61, "open": False, "count": 17.0}
    payload = event(
        deviceInfo=device(deviceName="north-field-12"),
        time="2026-11-25T04:32:42.418305123+00:00",
        fCnt=12345,
        fPort=2,
        data="1wECAwQFBgcICQ==",
        adr=True,
        object=reading,
        rxInfo=receptions,
        txInfo={"frequency": 868100000, "modulation": {"lora": lora}},
    )
    made = message(uplink(payload))
    fields = cast("dict[str, object]", json.loads(made.payload, parse_float=Decimal))
    row = row_of({**fields, "device": made.device, "expires": 1_795_581_162})
    (found,) = readings([Stored(row)], Mapping(()))
    assert found is not None
    assert found.attributes["decoded_by"] == "chirpstack"
    assert row_size({**row, **found.attributes}) <= 1024
