"""Uplinks go to the rule alone: cheaper, and to nobody who subscribes."""

import subprocess

import pytest

from console.check.deployed import rule
from console.store.history import uplinks
from contract.deployment import UNNAMED
from lab.aws.consumer import connect
from lab.aws.host import Host
from lab.rig.running_bridge import LORA_BRIDGE, running_bridge
from tests.end_to_end.conftest import BRIDGE, CONSUMER, OTHER_BRIDGE
from tests.end_to_end.traffic import numbered, send, wait_for_rows

pytestmark = pytest.mark.aws

_NOT_AUTHORIZED = 0x87


def configured(name: str, spool: dict[str, str]) -> dict[str, str]:
    """Return changes to the configuration that was enrolled: the other bridge, and its rule."""
    own = {f'"{BRIDGE}{end}"': f'"{OTHER_BRIDGE}{end}"' for end in ("", ".pem", ".key")}
    return {**spool, **own, "[spool]": f'basic_ingest = "{name}"\n\n[spool]'}


def test_uplinks_are_stored_and_nobody_hears_them(
    host: Host, table: str, application: str, spool: dict[str, str]
) -> None:
    """The rule sees the topic that it would see otherwise; who subscribes to that gets nothing."""
    config, port = host.configure("ingest.toml", configured(rule(UNNAMED), spool))
    with connect(host, CONSUMER, CONSUMER) as consumer:
        assert consumer.subscribe(f"lora/{application}/#") == 1
        with running_bridge(config) as bridge:
            bridge.says("ready: ")
            frames = [frame for seqno in range(5) for frame in numbered(application, 2, seqno)]
            send(port, b"".join(frames))
            wait_for_rows(table, 5, f"{application}/0")
            wait_for_rows(table, 5, f"{application}/1")
            assert bridge.stop()["published"] == 10
        assert consumer.session.received == []
    assert {row["seqno"] for row in uplinks(table, f"{application}/1")} == {*range(5)}


def test_only_a_bridge_that_was_given_it_may(host: Host) -> None:
    """The policy names the rule, and the bridge's own applications there."""
    topic = f"$aws/rules/{rule(UNNAMED)}/lora/a/d"
    payload = b'{"timestamp":"2026-01-01T00:00:00.000000Z"}'
    with connect(host, OTHER_BRIDGE, OTHER_BRIDGE) as bridge:
        assert bridge.publish(topic, payload) == 0
        assert bridge.publish("$aws/rules/another/lora/a/d", payload) == _NOT_AUTHORIZED
    with connect(host, BRIDGE, BRIDGE) as bridge:
        assert bridge.publish(topic, payload) == _NOT_AUTHORIZED


def test_check_knows_it(host: Host, spool: dict[str, str]) -> None:
    """It tells a wrong rule, publishes nothing itself, and refuses what nobody could hear."""
    good, _ = host.configure("ingest.toml", configured(rule(UNNAMED), spool))
    said = host.lora_bridge("check", "--config", str(good))
    assert "- publish: not tried, with basic_ingest the rule would store whatever" in said
    assert f"✓ basic ingest: to {rule(UNNAMED)} alone" in said
    wrong, _ = host.configure("wrong.toml", configured("another", spool))
    for config, options, expected in (
        (
            wrong,
            [],
            (
                "✗ basic ingest: basic_ingest is another, and the rule that is deployed is"
                f" {rule(UNNAMED)}"
            ),
        ),
        (good, ["--round-trip"], "nobody can subscribe: leave out --round-trip"),
    ):
        done = subprocess.run(
            [*LORA_BRIDGE, "check", "--config", str(config), *options],
            env=host.aws.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert expected in done.stdout + done.stderr
