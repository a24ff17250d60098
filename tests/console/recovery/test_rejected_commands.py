"""Rejected frames are read again by a bridge that runs as its service does, and then published."""

import json
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.spool.file import join
from bridge.spool.rejected import listed as listed_in
from contract.names import is_event
from lab.rig.running_bridge import LORA_BRIDGE, running_bridge
from lab.rig.spools import waiting
from lab.soak.site import Site, site, wait_until
from tests.bridge.sources.semtech.frames import LAYOUT_2, frame

pytestmark = pytest.mark.broker

_LIMIT = 30.0  # seconds


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """Configure a bridge for a network server that leaves appeui out, and forget to say so."""
    with site(tmp_path) as place:
        yield place


def send(place: Site, *frames: bytes) -> None:
    """Send frames to the bridge."""
    with socket.create_connection(("127.0.0.1", place.port)) as connection:
        connection.sendall(b"".join(each + b"\0" for each in frames))


def run(place: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the rejected frames."""
    return subprocess.run(
        [*LORA_BRIDGE, "rejected", *arguments, "--config", str(place.config)],
        capture_output=True,
        text=True,
        check=False,
    )


def listed(place: Site) -> list[dict[str, object]]:
    """Return what is listed."""
    found: list[dict[str, object]] = json.loads(run(place, "list", "--format", "json").stdout)
    return found


def add_application(place: Site) -> None:
    """Say in the configuration whose the devices are."""
    text = place.config.read_text()
    place.config.write_text(text.replace("[[listen]]", '[[listen]]\napplication = "a1"'))


def uplinks(place: Site) -> list[tuple[str, bytes]]:
    """Return topic and payload of the uplinks that the broker has delivered.

    A bridge that starts again also tells in an event that it was away.
    """
    place.counter.look()
    return [each for each in place.counter.messages() if not is_event(each[0])]


def topics(place: Site) -> list[str]:
    """Return the topics of the uplinks that the broker has delivered."""
    return [topic for topic, _payload in uplinks(place)]


def test_uplinks_of_an_application_that_was_added_later(place: Site) -> None:
    """With the bridge up, what can be read now is published once; the rest is named, and stays."""
    with running_bridge(place.config) as bridge:
        bridge.says("ready: ")
        send(place, LAYOUT_2, b"junk\xff", b"", b'{"mote":{}}', frame(appeui=None), frame())
        wait_until(lambda: len(listed(place)) == 3, _LIMIT, "the frames to be kept")
        again = run(place, "retry")
        assert (again.returncode, again.stdout) == (1, "retried=0 left=3 waiting=0\n")
        assert again.stderr == (
            "left 1: no application\nleft 2: not UTF-8\nleft 3: no application\n"
        )
        bridge.stop()
    received = [each["time"] for each in listed(place)]
    add_application(place)
    with running_bridge(place.config) as bridge:
        bridge.says("ready: ")
        again = run(place, "retry")
        assert (again.returncode, again.stdout) == (1, "retried=2 left=1 waiting=0\n")
        assert again.stderr == "left 2: not UTF-8\n"
        wait_for_topics(place, ["lora/37817737f13/9372163", "lora/a1/9372163", "lora/a1/9372163"])
        send(place, LAYOUT_2)
        wait_for_topics(place, ["lora/37817737f13/9372163", *["lora/a1/9372163"] * 3])
        bridge.stop()
    published = [json.loads(payload) for _topic, payload in uplinks(place)]
    assert [each["timestamp"] for each in published[1:3]] == [received[0], received[2]]
    assert [each["id"] for each in listed(place)] == [2]


def wait_for_topics(place: Site, expected: list[str]) -> None:
    """Wait until so many messages are there; they are on these topics."""
    wait = "the uplinks to be published"
    wait_until(lambda: len(topics(place)) >= len(expected), _LIMIT, wait)
    assert topics(place) == expected


def test_a_bridge_that_is_down_reads_them_when_it_starts(place: Site) -> None:
    """The request waits in the spool, and is said to."""
    with running_bridge(place.config) as bridge:
        bridge.says("ready: ")
        send(place, LAYOUT_2)
        bridge.says("frame rejected: no application")
        bridge.stop()
    add_application(place)
    again = run(place, "retry")
    assert (again.returncode, again.stdout) == (1, "retried=0 left=0 waiting=1\n")
    assert again.stderr == "no bridge reads them now: start it, or wait until its spool has room\n"
    with running_bridge(place.config) as bridge:
        wait_for_topics(place, ["lora/a1/9372163"])
        bridge.stop()
    assert listed(place) == []
    assert waiting(place.spool) == 0


def test_a_bridge_that_is_killed_while_it_reads(place: Site) -> None:
    """Every frame is published, and always with the one timestamp that it got."""
    frames = [frame(appeui=None, seqno=number) for number in range(1000)]
    with running_bridge(place.config) as bridge:
        bridge.says("ready: ")
        send(place, *frames)
        bridge.says("disconnected")
        bridge.stop()
    add_application(place)
    assert run(place, "retry").stdout == "retried=0 left=0 waiting=1000\n"
    left = 1000
    kills = 0
    while left:
        with running_bridge(place.config) as bridge, closing(join(place.spool)) as spool:
            wait_until(lambda: count(spool) < left, _LIMIT, "some frames to be read")  # noqa: B023
            bridge.process.kill()
            bridge.process.wait()
            left = count(spool)
            kills += 1
    assert kills > 1
    with running_bridge(place.config) as bridge:
        wait_until(lambda: waiting(place.spool) == 0, _LIMIT, "the spool to drain")
        bridge.stop()
    payloads = {payload for _topic, payload in uplinks(place)}
    assert sorted(json.loads(each)["seqno"] for each in payloads) == [*range(1000)]
    assert len({json.loads(each)["timestamp"] for each in payloads}) == 1000


def count(spool: sqlite3.Connection) -> int:
    """Return how many rejected frames there are."""
    return len(listed_in(spool))


def test_a_frame_is_shown_and_dropped(place: Site) -> None:
    """It is listed with how it begins, shown whole, and gone for good when dropped."""
    long = frame(appeui=None, motetx={"x": "y" * 1000})
    with running_bridge(place.config) as bridge:
        bridge.says("ready: ")
        send(place, long, b"\x1b[2J\xff", b"third")
        bridge.says("frame rejected: not JSON")
        bridge.stop()
    table = run(place, "list").stdout.splitlines()
    assert table[0].split() == ["id", "time", "listener", "reason", "bytes", "frame"]
    assert f"no application{len(long):>13} {long[:60].decode()}" in table[1]
    assert r"\x1b[2J" in table[2]
    assert "\x1b" not in table[2]
    shown = json.loads(run(place, "show", "1").stdout)
    assert shown["frame"].encode() == long
    assert (shown["listener"], shown["whole"]) == (f"127.0.0.1:{place.port}", True)
    assert json.loads(run(place, "show", "2").stdout)["base64"] == "G1sySv8="
    assert run(place, "drop", "1", "3").stdout == "dropped=2\n"
    assert [each["id"] for each in listed(place)] == [2]
    for command in ("show", "retry", "drop"):
        missing = run(place, command, "3")
        assert missing.returncode == 1
        assert missing.stderr == "lora-bridge: there is no rejected frame 3\n"
    assert run(place, "drop", "--all").stdout == "dropped=1\n"
    assert listed(place) == []


def test_a_spool_that_is_not_there_is_one_line(place: Site) -> None:
    """Nothing is made where no bridge has run yet."""
    done = run(place, "list")
    assert done.returncode == 1
    assert done.stderr == (
        f"lora-bridge: {place.spool}: no such file: the bridge makes it when it starts\n"
    )
    assert not place.spool.exists()


def test_a_spool_that_is_held_up_costs_the_bridge_a_moment_only(place: Site) -> None:
    """While somebody else writes to the spool, frames wait, and none is lost."""
    with running_bridge(place.config) as bridge:
        bridge.says("ready: ")
        with closing(sqlite3.connect(place.spool, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            send(place, frame())
            bridge.says("spool: database is locked: nothing is lost")
            other.execute("ROLLBACK")
        wait_for_topics(place, ["lora/37817737f13/9372163"])
        bridge.stop()
