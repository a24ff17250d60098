"""A chain that is whole, what cannot be looked at, and the settings that are deployed."""

import re

import pytest

from console.check.chain import State
from lab.aws.host import Host
from tests.end_to_end.check.chain import CLOUD, FILES, NETWORK
from tests.end_to_end.checked import Configured, check
from tests.end_to_end.conftest import OTHER_BRIDGE

pytestmark = pytest.mark.aws


def test_a_whole_chain(config: Configured) -> None:
    """Nothing is broken, and the exit status says so."""
    checked = check(config())
    assert checked.whole() == FILES + NETWORK + CLOUD
    assert checked.status == 0


def test_without_credentials(config: Configured) -> None:
    """What only AWS can tell is not tried, with the reason, which breaks nothing."""
    checked = check(config(), credentials=False)
    not_tried = [each for each in checked.findings if each.state is State.NOT_TRIED]
    links = ["certificate in AWS", "rule", "table", "role", "event rule", "settings"]
    assert [each.link for each in not_tried] == links
    assert all("Unable to locate credentials" in each.detail for each in not_tried[:-1])
    assert checked.status == 0


def test_lines_for_people(config: Configured) -> None:
    """Each link is a line: a mark, its name, what was seen, and how long it took."""
    said = config.host.lora_bridge("check", "--config", str(config()))
    assert len(said.splitlines()) == len(FILES + NETWORK + CLOUD) + 1
    assert "- settings: not tried, no lora.toml here" in said
    assert re.search(r"^✓ MQTT: connected as network-host-1\.check \(\d+ ms\)$", said, re.MULTILINE)


def test_settings_that_are_deployed(host: Host, config: Configured) -> None:
    """With the file that was deployed, the last link is whole, with a bridge beside or without."""
    deployed = host.folder / "lora.toml"
    checked = check(config(), "--settings", str(deployed))
    assert checked.whole()[-1] == "settings"
    assert checked.status == 0
    alone = check(config.folder / "none.toml", "--settings", str(deployed))
    assert alone.whole() == ["settings"]
    unseen = check(config(), "--settings", str(deployed), credentials=False)
    assert "Unable to locate credentials" in unseen.findings[-1].detail


def test_settings_that_differ(host: Host, config: Configured) -> None:
    """Each key is named, with what is on file and what is deployed."""
    deployed = (host.folder / "lora.toml").read_text()
    path = config.folder / "lora.toml"
    path.write_text(f"retention_days = 30\n{deployed}")
    words = "^retention_days: 30 on file, nothing deployed$"
    check(config(), "--settings", str(path)).breaks_at("settings", words, "npx cdk deploy --all")
    path.write_text(deployed.replace(f"{OTHER_BRIDGE} =", "other ="))
    words = r"bridges.network-host-2: nothing on file, \[.*\] deployed; bridges.other: \[.*\] on"
    without = check(config.folder / "none.toml", "--settings", str(path))
    assert re.match(words, without.findings[-1].detail)
    assert without.status == 1


def test_settings_with_a_mistake(config: Configured) -> None:
    """A key that nobody knows."""
    (config.folder / "lora.toml").write_text("retention = 30\n")
    check(config(), "--settings", str(config.folder / "lora.toml")).breaks_at(
        "settings", "retention is no setting: did you mean retention_days"
    )
