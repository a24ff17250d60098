"""Refused messages are seen, tried again and dropped beside a bridge that runs."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.messages.message import Message
from bridge.spool.batch import Batch
from bridge.spool.refused import Refusal
from bridge.spool.spool import Spool
from bridge.spool.waiting import Waiting
from lab.rig.certificates import make_certificates
from lab.rig.running_bridge import LORA_BRIDGE, running_bridge
from lab.rig.scripted_broker import ScriptedBroker
from lab.rig.servers import free_ports
from lab.soak.site import configure

pytestmark = pytest.mark.broker

PAYLOAD = b'{"port1_bytes":[1],"timestamp":"2026-11-25T12:00:00.000000Z","seqno":7}'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Configure a bridge whose spool has three refused messages."""
    make_certificates(tmp_path)
    messages = [Waiting.of(n, Message(f"lora/a1/d{n}", PAYLOAD)) for n in (1, 2, 3)]
    with Spool(tmp_path / "spool.db") as spool:
        spool.commit(Batch(messages, [], [], []))
        refusals = [Refusal(n, "NOT_AUTHORIZED (0x87)", final=True) for n in (1, 2, 3)]
        spool.commit(Batch([], [], [], refusals))
    port, nobody = free_ports(2)
    return configure(tmp_path, port, nobody, {})


@contextmanager
def accepting(config: Path, code: int) -> Iterator[ScriptedBroker]:
    """Run the bridge before a broker that answers with a code."""
    broker = ScriptedBroker(config.parent, lambda _connection, _payload: code)
    with broker.in_thread() as port:
        listen = int(config.read_text().partition("port = ")[2].partition("\n")[0])
        configure(config.parent, listen, port, {})
        with running_bridge(config) as bridge:
            bridge.says("ready: ")
            yield broker


def run(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the refused messages."""
    return subprocess.run(
        [*LORA_BRIDGE, "refused", *arguments, "--config", str(config)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_they_are_listed_and_shown(config: Path) -> None:
    """A line for each, and all of one."""
    rows = json.loads(run(config, "list", "--format", "json").stdout)
    assert [(row["id"], row["device"], row["tried"]) for row in rows] == [
        (1, "a1/d1", "when asked"),
        (2, "a1/d2", "when asked"),
        (3, "a1/d3", "when asked"),
    ]
    shown = json.loads(run(config, "show", "2").stdout)
    assert (shown["topic"], shown["payload"]["seqno"]) == ("lora/a1/d2", 7)
    assert run(config, "show", "9").stderr == "lora-bridge: there is no refused message 9\n"


def test_what_is_accepted_now_leaves(config: Path) -> None:
    """The bridge publishes what a person asks for, and the command waits for it."""
    with accepting(config, 0) as broker:
        one = run(config, "retry", "2")
        assert (one.returncode, one.stdout) == (0, "retried=1 left=0 waiting=0\n")
        assert [each.topic for each in broker.published] == ["lora/a1/d2"]
        others = run(config, "retry")
        assert (others.returncode, others.stdout) == (0, "retried=2 left=0 waiting=0\n")
    assert run(config, "list", "--format", "json").stdout == "[\n]\n"


def test_what_is_refused_again_is_named(config: Path) -> None:
    """It stays, with the reason of now."""
    with accepting(config, 0x99):
        done = run(config, "retry", "1")
    assert (done.returncode, done.stdout) == (1, "retried=0 left=1 waiting=0\n")
    assert "left 1: a1/d1: PAYLOAD_FORMAT_INVALID (0x99)" in done.stderr


def test_without_a_bridge_they_wait(config: Path) -> None:
    """The command says so, and a bridge that starts publishes them."""
    done = run(config, "retry", "1")
    assert (done.returncode, done.stdout) == (1, "retried=0 left=0 waiting=1\n")
    assert "no bridge tries them now" in done.stderr


def test_they_are_dropped_for_good(config: Path) -> None:
    """Those that are named, or all."""
    assert run(config, "drop").returncode == 2
    assert run(config, "drop", "1", "3").stdout == "dropped=2\n"
    assert run(config, "drop", "--all").stdout == "dropped=1\n"
    assert run(config, "list", "--format", "json").stdout == "[\n]\n"
