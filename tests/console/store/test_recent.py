"""The newest uplinks of devices are read, the same few of each."""

from collections.abc import Iterator

import pytest

from console.store.devices import listed, table_names
from console.store.history import uplinks
from console.store.recent import Recent, recent
from contract.deployment import UNNAMED
from contract.errors import BridgeError
from contract.silence import LOOKED_AT
from lab.aws.generated_store import generated_store
from lab.aws.server import led_to


@pytest.fixture
def tables() -> Iterator[tuple[str, str]]:
    """Have a store, and lead this process's SDK there."""
    with generated_store(30) as environment, led_to(environment):
        yield table_names(UNNAMED)


def test_the_newest_of_each(tables: tuple[str, str]) -> None:
    """Devices come in their order, each with its newest uplinks first, or with none."""
    table, devices = tables
    names = [each.device for each in listed(devices)]
    names.insert(3, "no/uplinks")
    found = list(recent(table, iter(names)))
    assert [each.device for each in found] == names
    for each in found:
        expected = [] if each.device == "no/uplinks" else [*uplinks(table, each.device)]
        assert list(each.rows) == expected[:LOOKED_AT]
        assert each.times == sorted(each.times, reverse=True)
    assert list(recent(table, [])) == []


def test_some_fields(tables: tuple[str, str]) -> None:
    """Nothing is read but what is asked for."""
    table, devices = tables
    (found,) = recent(table, [next(listed(devices)).device], "#time, seqno")
    assert all(row.keys() == {"timestamp", "seqno"} for row in found.rows)
    assert len(found.times) == LOOKED_AT


def test_times_that_are_none() -> None:
    """A row with another sort key has no time."""
    rows = ({"timestamp": "2026-01-01T00:00:00.000001Z"}, {"timestamp": "x"}, {"timestamp": 5})
    assert Recent("a/d", rows).times == [1_767_225_600_000_001]


def test_aws_does_not_answer(tables: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks is told, in one line, at the first device that could not be read."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(BridgeError, match="AWS: Could not connect"):
        next(recent(tables[0], ["a/1", "a/2"]))
