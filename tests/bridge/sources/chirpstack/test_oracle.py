"""Whatever ChirpStack's schema allows is read as protobuf's own library would read it."""

import json
import math
from typing import cast

import pytest
from chirpstack_api import common, gw, integration
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from hypothesis import given, settings

from bridge.config import ChirpStack, Kept
from bridge.messages.event import DeviceEvent, Notice
from bridge.messages.uplink import Json, Uplink
from bridge.sources.chirpstack.parsing import Parser
from contract.downlinks import State
from contract.eui import one_case
from contract.times import parse_time
from tests.bridge.sources.chirpstack.made import Form, events, printed

_PARSER = Parser(ChirpStack(event_topic="{{event}}", keep=(Kept.TAGS, Kept.PROFILE)))

few = settings(max_examples=100, derandomize=True, database=None, deadline=None)
forms = pytest.mark.parametrize("form", Form)


def read(kind: str, event: Message, form: Form) -> Uplink | Notice | None:
    """Return what an event tells, printed in a form."""
    found = _PARSER.read(kind, printed(event, form))
    info = event.device_info
    assert (found.application, found.device) == (one_case(info.application_id), _eui(event))
    assert found.application_id == info.application_id
    return found.content


def told(kind: str, event: Message, form: Form) -> DeviceEvent:
    """Return the event of a device that an event tells."""
    content = read(kind, event, form)
    assert isinstance(content, Notice)
    (only,) = content.events
    assert (only.source, only.kind) == ("chirpstack", kind)
    assert (only.application, only.device) == (
        one_case(event.device_info.application_id),
        _eui(event),
    )
    assert only.time == _micros(event, "time")
    assert only.fields.get("name", "") == event.device_info.device_name
    return only


@forms
@few
@given(event=events(integration.UplinkEvent))
def test_uplinks(form: Form, event: Message) -> None:
    """Every field of an uplink is what the protobuf message has."""
    uplink = read("up", event, form)
    assert isinstance(uplink, Uplink)
    assert (uplink.port, uplink.data, uplink.seqno) == (event.f_port, event.data, event.f_cnt)
    assert (uplink.time, uplink.received_at) == (_micros(event, "time"), ())
    assert uplink.identity == (event.deduplication_id or None)
    assert uplink.motetx == _motetx(event)
    assert len(uplink.gwrx) == len(event.rx_info)
    for found, heard in zip(uplink.gwrx, event.rx_info, strict=True):
        _check_reception(cast("dict[str, Json]", found), heard)
    _check_more(dict(uplink.more), event)


def _motetx(event: Message) -> dict[str, Json]:
    modulation = event.tx_info.modulation
    made: dict[str, Json] = {"freq": event.tx_info.frequency / 1e6, "adr": event.adr}
    match modulation.WhichOneof("parameters"):
        case "lora":
            lora = modulation.lora
            width = f"{lora.bandwidth / 1000:g}"
            made |= {"modu": "LORA", "datr": f"SF{lora.spreading_factor}BW{width}"}
            made |= _codr(lora.code_rate)
        case "fsk":
            made |= {"modu": "FSK", "datr": modulation.fsk.datarate}
        case "lr_fhss":
            width = str(round(modulation.lr_fhss.operating_channel_width / 1000))
            made |= {"modu": "LR-FHSS", "datr": f"CW{width}"} | _codr(modulation.lr_fhss.code_rate)
    return made


def _codr(rate: int) -> dict[str, Json]:
    names = {
        gw.CR_UNDEFINED: None,
        gw.CR_4_5: "4/5",
        gw.CR_4_6: "4/6",
        gw.CR_4_7: "4/7",
        gw.CR_4_8: "4/8",
        gw.CR_3_8: "3/8",
        gw.CR_2_6: "2/6",
        gw.CR_1_4: "1/4",
        gw.CR_1_6: "1/6",
        gw.CR_5_6: "5/6",
        gw.CR_LI_4_5: "4/5LI",
        gw.CR_LI_4_6: "4/6LI",
        gw.CR_LI_4_8: "4/8LI",
    }
    return {"codr": names[rate]} if names[rate] else {}


def _check_reception(found: dict[str, Json], heard: Message) -> None:
    assert found["eui"] == heard.gateway_id
    assert (found["chan"], found["rfch"], found["rssi"]) == (
        *(heard.channel, heard.rf_chain, heard.rssi),
    )
    assert math.isclose(cast("float", found["lsnr"]), heard.snr, rel_tol=1e-6, abs_tol=0.0006)
    assert parse_time(str(found.get("time"))) == _micros(heard, "gw_time")


def _check_more(more: dict[str, Json], event: Message) -> None:
    info = event.device_info
    assert more.pop("name", "") == info.device_name
    assert more.pop("encrypted", False) is event.HasField("join_server_context")
    assert more.pop("profile") == info.device_profile_name
    assert more.pop("tags") == {key: value for key, value in info.tags.items() if key}
    if event.HasField("object"):
        assert json.loads(str(more.pop("object"))) == MessageToDict(event.object)
    assert not more


@forms
@few
@given(event=events(integration.JoinEvent))
def test_joins(form: Form, event: Message) -> None:
    """A join has its new address."""
    join = told("join", event, form)
    assert join.fields["devaddr"] == event.dev_addr
    if event.deduplication_id:
        assert join.identity == f"join {event.deduplication_id}"


@forms
@few
@given(event=events(integration.AckEvent))
def test_acks(form: Form, event: Message) -> None:
    """An acknowledgement says of which downlink, and whether it is one."""
    content = read("ack", event, form)
    assert isinstance(content, Notice)
    (answer,) = content.answers
    assert (answer.moteeui, answer.reference) == (_eui(event), event.queue_item_id)
    assert (answer.state is State.ACKNOWLEDGED) is event.acknowledged
    assert content.events == ()


@forms
@few
@given(event=events(integration.TxAckEvent))
def test_txacks(form: Form, event: Message) -> None:
    """A downlink that a gateway has taken was sent."""
    content = read("txack", event, form)
    assert isinstance(content, Notice)
    (answer,) = content.answers
    assert (answer.moteeui, answer.reference) == (_eui(event), event.queue_item_id)
    assert (answer.state, content.events) == (State.SENT, ())


@forms
@few
@given(event=events(integration.StatusEvent))
def test_statuses(form: Form, event: Message) -> None:
    """A status has margin, power and battery."""
    fields = told("status", event, form).fields
    assert fields["margin"] == event.margin
    assert fields["external_power"] is event.external_power_source
    if event.external_power_source or event.battery_level_unavailable:
        assert fields["battery"] is None
    else:
        battery = cast("float", fields["battery"])
        assert math.isclose(battery, event.battery_level, rel_tol=1e-6, abs_tol=0.0006)


@forms
@few
@given(event=events(integration.LocationEvent))
def test_locations(form: Form, event: Message) -> None:
    """A location has its place to a tenth of a millimetre, and its height to the millimetre."""
    fields = told("location", event, form).fields
    place = event.location
    for name, least in (
        *(("latitude", 6e-10), ("longitude", 6e-10)),
        *(("altitude", 6e-4), ("accuracy", 6e-4)),
    ):
        found = cast("float", fields[name])
        assert math.isclose(found, getattr(place, name), rel_tol=1e-6, abs_tol=least)
    if place.source or "source_of_location" in fields:
        assert fields["source_of_location"] == common.LocationSource.Name(place.source)


@forms
@few
@given(event=events(integration.LogEvent))
def test_logs(form: Form, event: Message) -> None:
    """A log has its level, code and text; what is zero has no name where it is left out."""
    content = read("log", event, form)
    assert isinstance(content, Notice)
    fields = told("log", event, form).fields
    left_out = form is Form.SPARSE
    level = integration.LogLevel.Name(event.level)
    code = integration.LogCode.Name(event.code)
    assert fields["level"] == (level if event.level or not left_out else "")
    assert fields["code"] == (code if event.code or not left_out else "")
    assert fields["description"] == event.description
    assert fields["context"] == {key: value for key, value in event.context.items() if key}


def _eui(event: Message) -> str:
    return one_case(cast("str", event.device_info.dev_eui))


def _micros(message: Message, field: str) -> int | None:
    """Return a time in microseconds, as far as nanoseconds are whole ones."""
    if not message.HasField(field):
        return None
    return cast("int", getattr(message, field).ToNanoseconds()) // 1000
