"""The store of the largest network answers as DynamoDB does, by the product's own reading."""

import time
from collections.abc import Iterator
from itertools import islice

import boto3
import pytest

from console.deployment import aws_errors
from console.store.devices import listed, summaries, table_names
from console.store.history import uplinks
from console.store.recent import recent
from contract.deployment import UNNAMED
from contract.errors import BridgeError
from contract.silence import LOOKED_AT, usual_interval
from contract.times import parse_time
from lab.aws.generated_store import UPLINKS_EACH, generated_store
from lab.aws.server import led_to

_MINUTE = 60_000_000  # microseconds
_DEVICES = 120


@pytest.fixture(scope="module")
def tables() -> Iterator[tuple[str, str]]:
    """Make a network, and lead this process's SDK there; give the names of its tables."""
    with generated_store(_DEVICES) as environment, led_to(environment):
        yield table_names(UNNAMED)


def test_every_device_is_listed(tables: tuple[str, str]) -> None:
    """The list has all devices by name, each once, with an hour at which it was there."""
    found = list(listed(tables[1]))
    names = [each.device for each in found]
    assert len(set(names)) == len(names) == _DEVICES
    assert names == sorted(names)
    assert all(parse_time(each.last_seen or "") for each in found)
    application = names[0].partition("/")[0]
    assert len(list(listed(tables[1], application))) == _DEVICES / 10


def test_uplinks_are_those_of_a_device(tables: tuple[str, str]) -> None:
    """A device has so many uplinks, each way the same, cut by time and by count, with readings."""
    table, devices = tables
    device = next(listed(devices)).device
    rows = list(uplinks(table, device))
    times = [str(row["timestamp"]) for row in rows]
    assert len(rows) == UPLINKS_EACH
    assert times == sorted(times, reverse=True)
    assert {row["device"] for row in rows} == {device}
    assert all(isinstance(row["decoded"], dict) and row["gwrx"] for row in rows)
    assert list(islice(uplinks(table, device, limit=30), 40)) == rows[:30]
    since, until = parse_time(times[20]), parse_time(times[10])
    assert since is not None
    assert until is not None
    assert list(uplinks(table, device, since, until)) == rows[10:21]
    (few,) = recent(table, [device])
    assert list(few.rows) == rows[:LOOKED_AT]
    assert list(uplinks(table, "no/body")) == list(uplinks(table, f"{device}/event")) == []


def test_some_devices_do_not_do_well(tables: tuple[str, str]) -> None:
    """Of so many some are silent, some miss frames, and the others report as they should."""
    table, devices = tables
    everyone = list(listed(devices))
    looks = {each.device: each for each in recent(table, [each.device for each in everyone])}
    now = time.time_ns() // 1000
    silent = [each for each in looks.values() if each.times[0] < now - 4 * 60 * _MINUTE]
    assert len(silent) == _DEVICES // 50
    intervals = {usual_interval(each.times) for each in looks.values()}
    assert intervals == {10 * _MINUTE, 15 * _MINUTE, 60 * _MINUTE}
    gaps = [each for each in summaries(table, everyone, 0) if each.missing]
    assert len(gaps) == _DEVICES // 10


def test_what_it_does_not_have_is_refused(tables: tuple[str, str]) -> None:
    """Another service is no answer rather than a wrong one."""
    del tables  # there
    with pytest.raises(BridgeError, match="this has tables alone"), aws_errors():
        boto3.client("dynamodb").list_tables()
    with pytest.raises(BridgeError, match="this has tables alone"), aws_errors():
        boto3.client("iam", region_name="us-east-1").get_user()
