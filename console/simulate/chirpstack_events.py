"""Makes the events that ChirpStack v4 publishes of its devices. Does no I/O.

The schema is ChirpStack's api/proto/integration/integration.proto and api/proto/gw/gw.proto, in the
JSON that ChirpStack makes of them. Inside rxInfo and txInfo, what is zero is left out.
"""

import base64
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from console.simulate.chirpstack_devices import APPLICATION_ID, Device
from console.simulate.frames import Frame, reading

_REGION = "eu868"
_PORT, _READ_PORT = 1, 3  # the second is read by ChirpStack's codec
_GATEWAYS = ("0016c001ff10a235", "0016c001ff10a236")
_PLACE = {"latitude": 47.1, "longitude": 8.5, "altitude": 430.0}
_FREQUENCIES = (868_100_000, 868_300_000, 868_500_000)  # Hz
_STATUS_EVERY, _LOG_EVERY, _LOCATION_EVERY = 25, 40, 100  # uplinks


@dataclass(frozen=True)
class Event:
    """An event of a device; ``kind`` is the last word of its topic."""

    device: Device
    kind: str
    content: Frame

    @property
    def topic(self) -> str:
        """Where ChirpStack publishes it, unless told otherwise."""
        return f"application/{APPLICATION_ID}/device/{self.device.dev_eui}/event/{self.kind}"

    @property
    def payload(self) -> bytes:
        """Its JSON."""
        return json.dumps(self.content, separators=(",", ":")).encode()


class Maker:
    """Makes events. ``now`` returns nanoseconds since 1970, ``new_id`` a new UUID."""

    def __init__(
        self, rng: random.Random, now: Callable[[], int], new_id: Callable[[], str]
    ) -> None:
        self._rng = rng
        self.now = now
        self.new_id = new_id

    def uplinks(self, devices: int) -> Iterator[list[Event]]:
        """Yield uplinks of one device after the other, some with other events along with them."""
        for number in count():
            f_cnt, device = divmod(number, devices)
            up = self.up(Device(device), f_cnt)
            yield [up, *self._along_with(up, number + 1)]

    def join(self, device: Device) -> Event:
        """Let a device join."""
        told = {"devAddr": device.address, "regionConfigId": _REGION}
        return self._event(device, "join", {"deduplicationId": self.new_id(), **told})

    def up(self, device: Device, f_cnt: int) -> Event:
        """Let a device send its reading, which ChirpStack's codec reads at every second device."""
        rate = self._rng.randint(0, 5)  # DR of EU868: SF12 to SF7
        measured = reading(device.number, f_cnt, self._rng)
        read: Frame = {"object": _object(measured)} if device.number % 2 else {}
        content: Frame = {
            "deduplicationId": self.new_id(),
            "devAddr": device.address,
            "adr": True,
            "dr": rate,
            "fCnt": f_cnt,
            "fPort": _READ_PORT if read else _PORT,
            "confirmed": False,
            "data": base64.b64encode(measured).decode(),
            **read,
            "rxInfo": [self._heard(each) for each in _GATEWAYS[: self._rng.randint(1, 2)]],
            "txInfo": {"frequency": self._rng.choice(_FREQUENCIES), "modulation": _lora(12 - rate)},
            "regionConfigId": _REGION,
        }
        return self._event(device, "up", content)

    def txack(self, device: Device, item: str, f_cnt_down: int) -> Event:
        """Let a gateway take a downlink."""
        content: Frame = {
            "downlinkId": self._rng.getrandbits(32),
            "queueItemId": item,
            "fCntDown": f_cnt_down,
            "gatewayId": _GATEWAYS[0],
            "txInfo": {
                "frequency": _FREQUENCIES[0],
                "power": 16,
                "modulation": _lora(7, polarizationInversion=True),
                "timing": {"delay": {"delay": "1s"}},
                "context": self._bytes(),
            },
        }
        return self._event(device, "txack", content)

    def ack(self, up: Event, item: str, f_cnt_down: int) -> Event:
        """Let a device acknowledge a downlink with its uplink."""
        told = {"queueItemId": item, "acknowledged": True, "fCntDown": f_cnt_down}
        return self._event(up.device, "ack", {**_id_of(up), **told})

    def log(self, device: Device, level: str, code: str, text: str, **context: str) -> Event:
        """Let ChirpStack say something of a device."""
        told = {"level": level, "code": code, "description": text, "context": context}
        return self._event(device, "log", told)

    def _along_with(self, up: Event, number: int) -> Iterator[Event]:
        if number % _STATUS_EVERY == 0:
            status = {
                "margin": self._rng.randint(-5, 25),
                "externalPowerSource": False,
                "batteryLevelUnavailable": False,
                "batteryLevel": round(self._rng.randint(1, 254) / 254 * 100, 6),
            }
            yield self._event(up.device, "status", {**_id_of(up), **status})
        if number % _LOG_EVERY == 0:
            yield self.log(
                *(up.device, "WARNING", "UPLINK_F_CNT_RETRANSMISSION"),
                "Uplink was flagged as re-transmission / frame-counter did not increment",
                f_cnt_up=str(up.content["fCnt"]),
                deduplication_id=self.new_id(),
            )
        if number % _LOCATION_EVERY == 0:
            place = {**_PLACE, "source": "GEO_RESOLVER_TDOA", "accuracy": 25.0}
            yield self._event(up.device, "location", {**_id_of(up), "location": place})

    def _event(self, device: Device, kind: str, content: Mapping[str, object]) -> Event:
        common = {"time": _time(self.now()), "deviceInfo": device.info}
        return Event(device, kind, {**common, **content})

    def _heard(self, gateway: str) -> Frame:
        now = self.now()
        heard: Frame = {
            "gatewayId": gateway,
            "uplinkId": self._rng.getrandbits(32),
            "gwTime": _time(now - self._rng.randint(1_000_000, 5_000_000)),
            "nsTime": _time(now),
            "rssi": self._rng.randint(-120, -40),
            "snr": self._rng.randint(-60, 40) / 4,
            "channel": self._rng.randint(0, 7),
            "location": _PLACE,
            "context": self._bytes(),
            "crcStatus": "CRC_OK",
        }
        return {key: value for key, value in heard.items() if value}

    def _bytes(self) -> str:
        return base64.b64encode(self._rng.randbytes(4)).decode()


def _id_of(up: Event) -> Frame:
    """Return what events of one uplink share."""
    return {"deduplicationId": up.content["deduplicationId"]}


def _object(measured: bytes) -> Frame:
    """Return a reading as a codec in ChirpStack makes it: every number is a double."""
    hundredths = int.from_bytes(measured[:2], "big", signed=True)
    return {"temperature": hundredths / 100, "humidity": float(measured[2])}


def _lora(spreading_factor: int, **more: object) -> Frame:
    shape: Frame = {"bandwidth": 125_000, "spreadingFactor": spreading_factor}
    return {"lora": {**shape, "codeRate": "CR_4_5", **more}}


def _time(time: int) -> str:
    """Return nanoseconds since 1970 as protobuf's JSON has them: 0, 3, 6 or 9 digits."""
    seconds, rest = divmod(time, 1_000_000_000)
    digits = f".{rest:09d}" if rest else ""
    while digits.endswith("000"):
        digits = digits.removesuffix("000")
    whole, zone = datetime.fromtimestamp(seconds, UTC).isoformat().split("+")
    return f"{whole}{digits}+{zone}"
