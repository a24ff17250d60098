"""What the page of the path says of links, devices, alarms and the bridge."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from console.check.chain import BrokenError, Link, NotTriedError
from console.store.alarms import Alarm, AlarmState, alarm_name
from console.web.bridge_status import BridgeStatus, Reading, Status, status
from console.web.overview import Look
from console.web.path import of_alarms, of_devices, told
from console.web.site import Site
from console.web.watcher import Watcher
from contract.deployment import UNNAMED
from contract.silence import Expected, Intervals
from tests.console.check.test_last_uplink import metrics

if TYPE_CHECKING:
    from prometheus_client.samples import Sample

SECOND = 1_000_000
NOW = 1_795_262_400 * SECOND


def raising(error: Exception) -> Callable[[], str]:
    """Return a look that ends in an error."""

    def look() -> str:
        raise error

    return look


def test_each_link_is_told_before_and_after_it_is_looked_at() -> None:
    """Up to the first that is broken, whose remedy is told."""

    def links() -> Generator[Link, None, None]:
        yield "a", lambda: "seen"
        yield "b", raising(NotTriedError("no credentials"))
        yield "c", raising(BrokenError("gone", "bring it back"))
        raise AssertionError

    names, contents = zip(*told(links()), strict=True)
    assert names == ("look", "found") * 3
    assert contents[::2] == ("a", "b", "c")
    found = [cast("dict[str, object]", each) for each in contents[1::2]]
    assert [(each["state"], each["detail"], each["remedy"]) for each in found] == [
        ("whole", "seen", ""),
        ("not tried", "no credentials", ""),
        ("broken", "gone", "bring it back"),
    ]


def look(device: str, last: int | None, error: str = "", looked: int = NOW) -> Look:
    """Return what was found of a device that reports every minute."""
    expected = Expected(60 * SECOND, 3)
    return Look(looked, device, "", last, expected, 20, 0, None, None, "", error, ())


def site(*looks: Look, listed: int | None = None, config: Path | None = None) -> Site:
    """Return a site where this was found of devices."""
    watcher = Watcher(("uplinks", "devices"), Intervals(), lambda: NOW)
    for each in looks:
        watcher.known.put(each)
    watcher.known.listed = None if listed is None else dict.fromkeys(map(str, range(listed)))
    return Site(UNNAMED, "uplinks", Intervals(), watcher, config, None, lambda: NOW)


def test_devices() -> None:
    """How many are silent, and what came last of any."""
    looks = (look("a/1", NOW - 600 * SECOND), look("a/2", NOW - SECOND), look("a/3", None))
    found = of_devices(site(*looks, listed=4))
    assert found == {
        "listed": 4,
        "looked": 3,
        "silent": 1,
        "newest": NOW // 1000 - 1000,
        "device": "a/2",
        "name": "",
        "problem": "",
    }


@pytest.mark.parametrize("looks", [(), (look("a/3", None),)])
def test_no_uplink_yet(looks: tuple[Look, ...]) -> None:
    """Nothing came last."""
    found = of_devices(site(*looks))
    assert (found["listed"], found["silent"], found["newest"]) == (None, 0, None)


def test_alarms() -> None:
    """Those that are on are told with what to do; of those without data, the names."""
    found = of_alarms(
        [
            Alarm("NotStored", AlarmState.ON, "See why.", NOW),
            Alarm("NoUplinks", AlarmState.OFF, "Look.", NOW),
            Alarm("ErrorsWait", AlarmState.UNKNOWN, "Store them.", NOW),
        ]
    )
    on = {"name": "NotStored", "description": "See why.", "since": NOW // 1000}
    assert found == {"on": [on], "unknown": ["ErrorsWait"], "all": 3}


@pytest.mark.parametrize(
    ("said", "name"),
    [("WatchingNotStored1A2B3C4D-1UQKS0AB", "NotStored"), ("my-own-alarm", "my-own-alarm")],
)
def test_the_name_of_an_alarm(said: str, name: str) -> None:
    """It is the one in the documentation; of an alarm of others, its own."""
    assert alarm_name(said) == name


METRICS = """\
lora_bridge_frames_total{{outcome="accepted",reason=""}} {accepted}
lora_bridge_frames_total{{outcome="rejected",reason="no JSON"}} 7
lora_bridge_publishes_total{{result="published"}} {accepted}
lora_bridge_spool_messages 3
lora_bridge_spool_bytes 900
lora_bridge_spool_oldest_seconds {oldest}
lora_bridge_refused_messages 1
lora_bridge_last_uplink_timestamp_seconds{{application="a"}} 1.7958782e+09
lora_bridge_last_uplink_timestamp_seconds{{application="check"}} 1.7958789e+09
lora_bridge_network_servers 2
lora_bridge_connected 4
"""


def reading(time: float, accepted: int, oldest: str = "12.4") -> Reading:
    """Return what a bridge says."""
    families = text_string_to_metric_families(METRICS.format(accepted=accepted, oldest=oldest))
    found: list[Sample] = [sample for family in families for sample in family.samples]
    return Reading(time, found)


def test_the_status_of_a_bridge() -> None:
    """Rates are those since the reading before; uplinks of the check itself do not count."""
    assert status(reading(10, 100), reading(20, 125)) == Status(
        waiting=3,
        bytes=900,
        oldest=12,
        refused=1,
        received=2.5,
        published=2.5,
        last=1_795_878_200_000,
        servers=2,
        connections=4,
    )
    first = status(reading(10, 100, "NaN"), reading(10, 100, "NaN"))
    assert (first.received, first.published, first.oldest) == (None, None, None)


def configuration(folder: Path, *lines: str) -> Path:
    """Write the configuration of a bridge."""
    path = folder / "bridge.toml"
    aws = "[aws]\nendpoint = 'e'\nclient_id = 'b'\ncertificate = 'c'\nprivate_key = 'k'"
    path.write_text("\n".join([aws, "[[listen]]\nport = 1", "[spool]\npath = 'spool.db'", *lines]))
    return path


def test_a_bridge_is_asked(tmp_path: Path) -> None:
    """It is as it says; one without [http] says nothing, and something else is no bridge."""
    assert BridgeStatus(configuration(tmp_path)).look() is None
    with metrics(METRICS.format(accepted=1, oldest=0)) as http:
        found = BridgeStatus(configuration(tmp_path, f"[http]\nport = {http.port}")).look()
        assert found
        assert (found.waiting, found.received) == (3, None)
    with metrics("<html>") as http, pytest.raises(NotTriedError, match="is no bridge"):
        BridgeStatus(configuration(tmp_path, f"[http]\nport = {http.port}")).look()
