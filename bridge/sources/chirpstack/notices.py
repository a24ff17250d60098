"""What ChirpStack's other events tell of devices and of downlinks. Does no I/O."""

from hashlib import blake2b

from bridge.messages.downlink import Answer
from bridge.messages.event import DeviceEvent, Notice
from bridge.messages.uplink import Json, JsonObject
from bridge.sources.chirpstack.form import Ack, Event, Join, Location, Log, Status, TxAck
from contract.downlinks import State
from contract.names import NAME, EventType
from contract.times import parse_time

NAME_OF_SOURCE = "chirpstack"
_ITEM = "queue_item_id"
_LONGEST = 1000  # characters of a reason


def notice(event: Event, application: str, device: str) -> Notice:
    """Return what an event tells that is no uplink, of a device as topics have it."""
    match event:
        case TxAck():
            return Notice(answers=(Answer(State.SENT, device, event.queue_item_id),))
        case Ack():
            state = State.ACKNOWLEDGED if event.acknowledged else State.NOT_ACKNOWLEDGED
            return Notice(answers=(Answer(state, device, event.queue_item_id),))
        case Join():
            kind, fields = EventType.JOIN, _join(event)
        case Status():
            kind, fields = EventType.STATUS, _status(event)
        case Location():
            kind, fields = EventType.LOCATION, _location(event)
        case Log():
            told = _device_event(EventType.LOG, event, application, device, _log(event))
            return Notice((told,), _answers(event, device))
        case _:
            return Notice()
    return Notice((_device_event(kind, event, application, device, fields),))


def other(kind: str, event: Event, application: str, device: str, frame: str) -> Notice:
    """Return an event of a kind that is not known, with all of its frame.

    As text it cannot cost the event its row, whatever numbers and names are in it.
    """
    fields: JsonObject = {"event": kind, "frame": frame}
    return Notice((_device_event(EventType.OTHER, event, application, device, fields),))


def _device_event(
    kind: EventType, event: Event, application: str, device: str, fields: JsonObject
) -> DeviceEvent:
    name = event.device_info.device_name
    named = {**fields, NAME: name} if name else fields
    time = parse_time(event.time)
    identity = f"{kind} {_identity(event, fields)}"  # those of one uplink may share an id
    return DeviceEvent(NAME_OF_SOURCE, kind, application, device, named, time, identity)


def _identity(event: Event, fields: JsonObject) -> str:
    """Return what two deliveries of an event share. A log has no id, and a place of its own."""
    if event.deduplication_id:
        return event.deduplication_id
    content = f"{event.time} {sorted(fields.items())}".encode(errors="replace")
    return blake2b(content, digest_size=16).hexdigest()


def _join(event: Join) -> JsonObject:
    return {"devaddr": event.dev_addr}


def _status(event: Status) -> JsonObject:
    """Return margin and battery: percent, None where it is not known or there is none."""
    unknown = event.battery_level_unavailable or event.external_power_source
    return {
        "margin": event.margin,
        "external_power": event.external_power_source,
        "battery": None if unknown else round(event.battery_level, 3),
    }


def _location(event: Location) -> JsonObject:
    place = event.location
    source: dict[str, Json] = {"source_of_location": place.source} if place.source else {}
    return {
        "latitude": round(place.latitude, 9),
        "longitude": round(place.longitude, 9),
        "altitude": round(place.altitude, 3),
        "accuracy": round(place.accuracy, 3),
        **source,
    }


def _log(event: Log) -> JsonObject:
    return {
        "level": event.level,
        "code": event.code,
        "description": event.description,
        "context": {key: value for key, value in event.context.items() if key},
    }


def _answers(event: Log, device: str) -> tuple[Answer, ...]:
    """Return what a log tells of a downlink, if it names one."""
    item = event.context.get(_ITEM)
    if not item:
        return ()
    match event.code:
        case "EXPIRED":
            reason = "it expired in the network server's queue"
            return (Answer(State.EXPIRED, device, item, reason),)
        case "DOWNLINK_PAYLOAD_SIZE":
            size, most = (event.context.get(key, "?") for key in ("item_size", "max_payload_size"))
            reason = f"too long: {size} bytes, of which the data rate takes {most}"
        case "F_CNT_DOWN":
            reason = "its frame counter was used meanwhile"
        case _ if event.level == "ERROR":
            reason = f"{event.code}: {event.description}"
        case _:
            return ()
    return (Answer(State.FAILED, device, item, reason[:_LONGEST]),)
