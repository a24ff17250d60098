"""Makes an uplink of ChirpStack's event ``up``, in the form that Semtech's has. Does no I/O."""

from collections.abc import Sequence

from bridge.config import Kept
from bridge.messages.rejection import FrameRejectedError, Reason
from bridge.messages.uplink import Json, JsonObject, Uplink, decode_payload
from bridge.sources.chirpstack.form import (
    LrFhss,
    Modulation,
    Reception,
    Transmission,
    Up,
    is_absent,
)
from contract.names import ENCRYPTED, NAME, SAID
from contract.times import parse_time

_LARGEST_SAID = 32_768
"""Bytes of a reading that go along. One that is larger would cost an uplink its place."""
_CODE_RATE = "CR_"  # before 4_5, 4_6, LI_4_5 …


def uplink(event: Up, application: str, device: str, keep: Sequence[Kept] = ()) -> Uplink:
    """Return the uplink of a device, both as topics have them.

    Raises:
        FrameRejectedError: the port is none, or the bytes are not base64.

    """
    if event.f_port > 255:  # noqa: PLR2004  # FPort is one octet
        raise FrameRejectedError(Reason.BAD_PORT)
    return Uplink(
        application=application,
        device=device,
        port=event.f_port,
        data=decode_payload(event.data),
        seqno=event.f_cnt,
        motetx=_motetx(event.tx_info, adr=event.adr) if event.tx_info else None,
        gwrx=tuple(map(_gwrx, event.rx_info)),
        received_at=(),
        time=parse_time(event.time),
        identity=event.deduplication_id or None,
        more=_more(event, keep),
    )


def _motetx(sent: Transmission, *, adr: bool) -> JsonObject:
    """Return how a device has sent, in MHz and as ``SF7BW125``."""
    return {"freq": sent.frequency / 1e6, **_modulated(sent.modulation), "adr": adr}


def _modulated(modulation: Modulation) -> JsonObject:
    if (lora := modulation.lora) is not None:
        width = format(lora.bandwidth / 1000, "g")
        rate = f"SF{lora.spreading_factor}BW{width}"
        return {"modu": "LORA", "datr": rate, **_codr(lora.code_rate)}
    if (fsk := modulation.fsk) is not None:
        return {"modu": "FSK", "datr": fsk.datarate}
    if (hopping := modulation.lr_fhss) is not None:
        return _hopped(hopping)
    return {}


def _hopped(hopping: LrFhss) -> JsonObject:
    width = round(hopping.operating_channel_width / 1000)
    return {"modu": "LR-FHSS", "datr": f"CW{width}", **_codr(hopping.code_rate)}


def _codr(name: str) -> dict[str, Json]:
    """Return ``4/5`` of CR_4_5, and ``4/5LI`` of CR_LI_4_5; nothing of a name that is not known."""
    match name.removeprefix(_CODE_RATE).split("_"):
        case [over, under] if name.startswith(_CODE_RATE):
            return {"codr": f"{over}/{under}"}
        case ["LI", over, under]:
            return {"codr": f"{over}/{under}LI"}
        case _:
            return {}


def _gwrx(heard: Reception) -> JsonObject:
    """Return how a gateway heard it; its time is its own, as it wrote it."""
    time: dict[str, Json] = {"time": heard.gw_time} if heard.gw_time else {}
    return {
        "eui": heard.gateway_id,
        **time,
        "chan": heard.channel,
        "rfch": heard.rf_chain,
        "rssi": heard.rssi,
        "lsnr": round(heard.snr, 3),
    }


def _more(event: Up, keep: Sequence[Kept]) -> JsonObject:
    device = event.device_info
    more: dict[str, Json] = {}
    if device.device_name:
        more[NAME] = device.device_name
    if not is_absent(event.join_server_context):
        more[ENCRYPTED] = True
    if not is_absent(event.object):
        more[SAID] = _said(bytes(event.object))
    if Kept.TAGS in keep:
        more["tags"] = {key: value for key, value in device.tags.items() if key}
    if Kept.PROFILE in keep:
        more["profile"] = device.device_profile_name
    return more


def _said(text: bytes) -> str:
    """Return the reading as text, or nothing of one that is too large.

    As text it cannot cost the uplink its row: DynamoDB refuses a row for a number such as 1e+300.

    Raises:
        FrameRejectedError: it is not UTF-8.

    """
    if len(text) > _LARGEST_SAID:
        return ""
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise FrameRejectedError(Reason.NOT_UTF8) from None
