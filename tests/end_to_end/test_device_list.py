"""The list of devices in DynamoDB: how seldom it is written, and that it never goes back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from decoder.aws import Rows
from decoder.batch import AwsError
from decoder.devices import Devices
from decoder.readings import Reading
from silence.aws import DeviceList
from silence.judging import Fallen, Outcome
from silence.known import Device, Network

from console.store.devices import is_listed, listed, table_names
from contract.deployment import UNNAMED
from contract.device_list import KINDS
from contract.rows import Row
from contract.times import format_time

pytestmark = pytest.mark.aws

_HOUR = 3_600_000_000
_NOW = 1_795_000_000_000_000


@pytest.fixture
def calls(table: str) -> Iterator[list[str]]:
    """Return a list to which each call of DynamoDB is added, of the clients made meanwhile."""
    del table  # deployed
    made: list[str] = []
    boto3.setup_default_session()
    session = boto3.DEFAULT_SESSION
    assert session is not None
    session.events.register("before-call.dynamodb", lambda model, **_: made.append(model.name))
    yield made
    boto3.setup_default_session()


def instance(now: int = _NOW) -> Devices:
    """Return what a new instance of the function has."""
    return Devices(boto3.client("dynamodb"), table_names(UNNAMED)[1], lambda: now)


def uplink(application: str, time: int, device: str = "d") -> Row:
    """Return an uplink."""
    return {"device": f"{application}/{device}", "timestamp": format_time(time)}


def last_seen(application: str) -> list[str | None]:
    """Return what the list says of the devices of an application."""
    return [each.last_seen for each in listed(table_names(UNNAMED)[1], application)]


def test_an_instance_writes_a_device_seldom(calls: list[str], application: str) -> None:
    """Uplinks of three hours cost one look and one write; the next is written again."""
    devices = instance()
    for minutes in range(0, 180, 15):
        devices.list_device(uplink(application, _NOW - 4 * _HOUR + minutes * 60_000_000))
    assert calls == ["GetItem", "UpdateItem"]
    assert last_seen(application) == [format_time(_NOW - 4 * _HOUR)]
    devices.list_device(uplink(application, _NOW - _HOUR))
    assert last_seen(application) == [format_time(_NOW - _HOUR)]


def test_other_instances_only_look(calls: list[str], application: str) -> None:
    """What one has written lately, no other writes."""
    instance().list_device(uplink(application, _NOW - 2 * _HOUR))
    calls.clear()
    other = instance()
    other.list_device(uplink(application, _NOW - _HOUR))
    other.list_device(uplink(application, _NOW - _HOUR))
    assert calls == ["GetItem"]


def test_it_never_goes_back(application: str) -> None:
    """An uplink that comes late, in an instance that knows no better, changes nothing."""
    instance().list_device(uplink(application, _NOW))
    instance().list_device(uplink(application, _NOW - 24 * _HOUR))
    assert last_seen(application) == [format_time(_NOW)]


def test_a_clock_that_was_ahead_hides_no_silence(application: str) -> None:
    """An uplink from the future, or of no time at all, was not heard later than now."""
    instance().list_device(uplink(application, _NOW + 9000 * _HOUR))
    instance().list_device({"device": f"{application}/odd", "timestamp": "yesterday"})
    assert last_seen(application) == [format_time(_NOW), format_time(0)]


def test_a_list_of_many_is_by_name(calls: list[str], application: str) -> None:
    """Devices come in one order, by a query for each partition; one is found without the others."""
    devices = instance()
    for number in range(40):
        devices.list_device(uplink(application, _NOW, f"{number:03}"))
    calls.clear()
    names = [each.device for each in listed(table_names(UNNAMED)[1], application)]
    assert names == [f"{application}/{number:03}" for number in range(40)]
    assert calls == ["Query"] * len(KINDS)
    assert is_listed(table_names(UNNAMED)[1], names[7])
    assert not is_listed(table_names(UNNAMED)[1], f"{application}/040")


def test_what_is_noted_of_silence_stays(application: str) -> None:
    """The decoder's writing leaves it alone; nothing is noted of a device that is gone."""
    name = f"{application}/d"
    instance().list_device(uplink(application, _NOW - 8 * _HOUR))
    with ThreadPoolExecutor(2) as threads:
        notes = DeviceList(boto3.client("dynamodb"), table_names(UNNAMED)[1], threads)
        fallen = [Fallen(each, _NOW - 7 * _HOUR, _HOUR, 3) for each in (name, f"{name}.gone")]
        well = Network()
        notes.write(Outcome(well, fallen=fallen, learnt={name: _HOUR}), well)
        instance().list_device(uplink(application, _NOW))
        assert noted(notes, application) == [Device(name, _NOW, _NOW - 7 * _HOUR, _HOUR)]
        notes.write(Outcome(well, back={name: _NOW}), well)
        assert noted(notes, application) == [Device(name, _NOW, None, _HOUR)]


def noted(notes: DeviceList, application: str) -> list[Device]:
    """Return what the list says of the devices of an application."""
    return [each for each in notes.devices() if each.name.startswith(f"{application}/")]


def test_what_is_noted_of_the_network_stays(table: str) -> None:
    """Since when it is silent, and when it was found to be back; no list of devices shows it."""
    del table  # deployed
    devices = table_names(UNNAMED)[1]
    silent, back = Network(silent_since=_NOW), Network(heard_again=_NOW + _HOUR)
    with ThreadPoolExecutor(2) as threads:
        notes = DeviceList(boto3.client("dynamodb"), devices, threads)
        for before, after in ((Network(), silent), (silent, back)):
            notes.write(Outcome(after), before)
            assert notes.network() == after
        assert notes.network() == back
    assert not [each for each in listed(devices) if each.device == "network"]


def test_what_aws_does_not_do_is_told_from_what_it_never_does(table: str) -> None:
    """A table that is away may come back; a key that cannot be will not."""
    client = boto3.client("dynamodb")
    reading = Reading({"decoded": {}, "decoded_by": "a.js@0"})
    with pytest.raises(AwsError, match="ResourceNotFoundException"):
        Rows(client, "gone").store(uplink("a", _NOW), reading)
    with pytest.raises(client.exceptions.ClientError, match="ValidationException"):
        Rows(client, table).store({"device": "", "timestamp": ""}, reading)
    assert Rows(client, table).store(uplink("nobody", _NOW), reading) is False
