"""The JSON of ChirpStack's events, as far as it is read. Does no I/O.

The schema is ChirpStack's api/proto/integration/integration.proto and api/proto/gw/gw.proto, in
protobuf's JSON. What is zero may be left out. Whole numbers of 64 bits would be texts.
"""

from enum import StrEnum
from typing import Annotated, Generic, TypeVar

import msgspec

_T = TypeVar("_T")
_Number = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]  # larger ones are nobody's measurement
_Signed = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
_Unsigned = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


_ABSENT = msgspec.Raw(b"null")


def is_absent(part: msgspec.Raw) -> bool:
    """Say whether a part of an event is not there."""
    return bytes(part) == b"null"


class Kind(StrEnum):
    """The events, by the last word of their topics."""

    UP = "up"
    JOIN = "join"
    ACK = "ack"
    TXACK = "txack"
    STATUS = "status"
    LOCATION = "location"
    LOG = "log"


class _Form(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What all objects have in common: other keys are passed over."""


class Device(_Form, frozen=True):
    """Whose event it is; both ids are needed, and both are texts that nobody has checked."""

    application_id: str
    dev_eui: str
    device_name: str = ""
    device_profile_name: str = ""
    tags: dict[str, str] = {}


class Event(_Form, frozen=True):
    """What every event has. ``time`` is RFC 3339; "" where there is none."""

    device_info: Device
    time: str = ""
    deduplication_id: str = ""


class Lora(_Form, frozen=True):
    """``bandwidth`` is in Hz."""

    bandwidth: _Unsigned = 0
    spreading_factor: _Unsigned = 0
    code_rate: str = ""


class Fsk(_Form, frozen=True):
    """``datarate`` is in bits a second."""

    datarate: _Unsigned = 0


class LrFhss(_Form, frozen=True):
    """``operating_channel_width`` is in Hz."""

    operating_channel_width: _Unsigned = 0
    code_rate: str = ""


class Modulation(_Form, frozen=True):
    """One of these."""

    lora: Lora | None = None
    fsk: Fsk | None = None
    lr_fhss: LrFhss | None = None


class Transmission(_Form, frozen=True):
    """``frequency`` is in Hz."""

    frequency: _Unsigned = 0
    modulation: Modulation = Modulation()


class Reception(_Form, frozen=True):
    """How a gateway heard it: ``rssi`` in dBm, ``snr`` in dB."""

    gateway_id: str = ""
    gw_time: str | None = None
    rssi: _Signed = 0
    snr: _Number = 0.0
    channel: _Unsigned = 0
    rf_chain: _Unsigned = 0


class Up(Event, frozen=True):
    """An uplink. ``object`` is what ChirpStack's codec made, as it is written.

    Where there is a ``join_server_context``, ``data`` is still encrypted.
    """

    adr: bool = False
    f_cnt: _Unsigned = 0
    f_port: _Unsigned = 0
    data: str = ""
    object: msgspec.Raw = _ABSENT
    rx_info: tuple[Reception, ...] = ()
    tx_info: Transmission | None = None
    join_server_context: msgspec.Raw = _ABSENT


class Join(Event, frozen=True):
    """A device has joined, and has this address now."""

    dev_addr: str = ""


class Ack(Event, frozen=True):
    """A device has confirmed a downlink, or has not."""

    queue_item_id: str = ""
    acknowledged: bool = False


class TxAck(Event, frozen=True):
    """A gateway has taken a downlink into its schedule."""

    queue_item_id: str = ""


class Status(Event, frozen=True):
    """``margin`` is in dB; ``battery_level`` in percent, 0 where it is not known."""

    margin: _Signed = 0
    external_power_source: bool = False
    battery_level_unavailable: bool = False
    battery_level: _Number = 0.0


class Position(_Form, frozen=True):
    """Degrees and metres."""

    latitude: _Number = 0.0
    longitude: _Number = 0.0
    altitude: _Number = 0.0
    source: str = ""
    accuracy: _Number = 0.0


class Location(Event, frozen=True):
    """Where a device is."""

    location: Position = Position()


class Log(Event, frozen=True):
    """What ChirpStack says of a device."""

    level: str = ""
    code: str = ""
    description: str = ""
    context: dict[str, str] = {}


class Reader(Generic[_T]):
    """Reads the JSON of one kind of event."""

    def __init__(self, form: type[_T]) -> None:
        # Not strict: a text that holds a number is one.
        self._decoder = msgspec.json.Decoder(form, strict=False)

    def read(self, text: bytes) -> _T:
        """Return the event.

        Raises:
            msgspec.DecodeError, UnicodeDecodeError, RecursionError: it is none.

        """
        return self._decoder.decode(text)
