"""The error queue: seen without being changed, and put through again without loss."""

import csv
import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from console.deployment import stack_outputs
from console.recovery.error_queue import ErrorQueue, Held
from console.recovery.redrive import Store, store_failures
from console.store.history import uplinks
from contract.deployment import UNNAMED
from contract.names import ERROR_QUEUE_OUTPUT
from contract.times import format_time
from lab.aws.consumer import connect
from lab.aws.host import Host
from lab.rig.running_bridge import LORA_BRIDGE
from tests.console.recovery.error_actions import REASON, error_action
from tests.end_to_end.conftest import BRIDGE
from tests.end_to_end.traffic import wait_for_rows

pytestmark = pytest.mark.aws

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_START = 1_790_000_000_000_000  # microseconds since 1970


@pytest.fixture
def sqs(host: Host) -> "SQSClient":
    """Return a client of SQS, with nothing in the error queue."""
    del host  # deployed
    client = boto3.client("sqs")
    client.purge_queue(QueueUrl=queue_url())
    return client


def queue_url() -> str:
    """Return where the error queue is."""
    (url,) = stack_outputs(UNNAMED.store_stack, ERROR_QUEUE_OUTPUT)
    return url


def payload(seqno: int, **others: object) -> bytes:
    """Return an uplink as a bridge publishes it."""
    time = format_time(_START + seqno * 1_000_000)
    return json.dumps(
        {"port1_bytes": [1, 254], "timestamp": time, "seqno": seqno} | others
    ).encode()


def fail(sqs: "SQSClient", body: str) -> str:
    """Put a message into the error queue; return its id."""
    return sqs.send_message(QueueUrl=queue_url(), MessageBody=body)["MessageId"]


def waiting(sqs: "SQSClient") -> int:
    """Return how many messages can be received."""
    return ErrorQueue(sqs, queue_url(), UNNAMED).depth().waiting


def run(host: Host, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the error queue, which may fail."""
    return subprocess.run(
        [*LORA_BRIDGE, "errors", *arguments],
        env=host.aws.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_list_and_show_leave_the_queue_as_it_is(
    host: Host, sqs: "SQSClient", application: str
) -> None:
    """Every message is in every list, newest first, and whole when shown by a part of its id."""
    ids = [fail(sqs, error_action(f"lora/{application}/d", payload(seqno))) for seqno in range(23)]
    ids.append(fail(sqs, "hello"))
    listed = run(host, "list", "--format", "csv")
    rows = list(csv.DictReader(StringIO(listed.stdout)))
    assert {row["id"] for row in rows} == set(ids)
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    of_devices = {row["id"]: (row["device"], row["seqno"], row["reason"]) for row in rows}
    assert of_devices[ids[7]] == (f"{application}/d", "7", REASON)
    assert of_devices[ids[23]] == ("", "", "something else than AWS IoT has put it there")
    assert listed.stderr == "looked at 24 messages\n"
    assert waiting(sqs) == 24
    again = run(host, "list", "--format", "json")
    assert {each["id"] for each in json.loads(again.stdout)} == set(ids)
    shown = json.loads(run(host, "show", ids[7][:12]).stdout)
    assert shown["id"] == ids[7]
    assert shown["payload"] == json.loads(payload(7))
    some = run(host, "list", "--limit", "4")
    assert len(some.stdout.splitlines()) == 5
    assert some.stderr == "looked at 4 of about 24 messages\n"
    table = run(host, "list").stdout.splitlines()
    assert table[0].split() == ["id", "time", "device", "seqno", "reason"]
    assert {line[:8] for line in table[1:]} == {each[:8] for each in ids}
    assert waiting(sqs) == 24


def test_what_others_hold_is_counted(host: Host, sqs: "SQSClient") -> None:
    """A message that another command holds cannot be listed, but is said to be there."""
    for body in ("one", "two", "three"):
        fail(sqs, body)
    (held,) = ErrorQueue(sqs, queue_url(), UNNAMED).receive(30, 1)
    listed = run(host, "list", "--format", "json")
    assert held.failure.id not in {each["id"] for each in json.loads(listed.stdout)}
    assert listed.stderr == ("looked at 2 of about 3 messages, 1 hidden by another command\n")


def test_progress_is_shown_on_a_terminal(host: Host, sqs: "SQSClient", application: str) -> None:
    """Bars run to their ends there, beside what is written; what is left is named below."""
    fail(sqs, error_action(f"lora/{application}/d", payload(1)))
    left = fail(sqs, "hello")
    for command in ("list", "redrive"):
        controller, terminal = pty.openpty()
        done = subprocess.run(
            [*LORA_BRIDGE, "errors", command],
            stdout=subprocess.PIPE,
            stderr=terminal,
            env=host.aws.environment(),
            text=True,
            check=False,
        )
        os.close(terminal)
        said = os.read(controller, 65_536).decode()
        os.close(controller)
        assert "100%" in said
        assert "%" not in done.stdout
    assert done.stdout == "redriven=1 left=1 hidden=0\n"
    assert f"left {left}: no device" in said


def test_an_id_must_be_that_of_one_message(host: Host, sqs: "SQSClient") -> None:
    """None or several with such a beginning are one line each."""
    fail(sqs, "one")
    fail(sqs, "two")
    several = run(host, "show", "")
    assert several.returncode == 1
    assert "\nlora-bridge: 2 messages begin with : " in several.stderr
    none = run(host, "show", "nothing")
    assert none.returncode == 1
    assert "lora-bridge: no message seen has an id that begins with nothing\n" in none.stderr


def test_what_the_rule_could_not_store_is_listed_and_left(
    host: Host, sqs: "SQSClient", application: str
) -> None:
    """A message that the table refuses comes here by the rule, and stays, with the reason."""
    policy = sqs.get_queue_attributes(QueueUrl=queue_url(), AttributeNames=["Policy"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue_url(), Attributes={"Policy": ""})  # see test_path
    try:
        with connect(host, BRIDGE, BRIDGE) as bridge:
            assert bridge.publish(f"lora/{application}/d", b'{"no":"timestamp"}') == 0
        deadline = time.monotonic() + 10
        while not waiting(sqs):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        sqs.set_queue_attributes(QueueUrl=queue_url(), Attributes=policy)
    (listed,) = json.loads(run(host, "list", "--format", "json").stdout)
    assert listed["device"] == f"{application}/d"
    done = run(host, "redrive")
    assert (done.returncode, done.stdout) == (1, "redriven=0 left=1 hidden=0\n")
    assert done.stderr == f"left {listed['id']}: {application}/d: {REASON}\n"
    assert waiting(sqs) == 1


def test_a_redriven_row_is_that_of_the_rule(
    host: Host, sqs: "SQSClient", table: str, application: str
) -> None:
    """It has the columns and the values that the rule gives the same payload."""
    gwrx = [{"eui": "b827ebfffe000001", "rssi": -57, "lsnr": 9.2}]
    published = payload(1, gwrx=gwrx, motetx={"freq": 868.1})
    with connect(host, BRIDGE, BRIDGE) as bridge:
        assert bridge.publish(f"lora/{application}/rule", published) == 0
    wait_for_rows(table, 1, f"{application}/rule")
    (of_the_rule,) = uplinks(table, f"{application}/rule")
    fail(sqs, error_action(f"lora/{application}/redriven", published))
    done = run(host, "redrive")
    assert (done.returncode, done.stdout, done.stderr) == (0, "redriven=1 left=0 hidden=0\n", "")
    (redriven,) = uplinks(table, f"{application}/redriven")
    expiries = [row["expires"] for row in (of_the_rule, redriven)]
    assert isinstance(expiries[0], int)
    assert isinstance(expiries[1], int)
    assert abs(expiries[1] - expiries[0]) < 60
    same = {"device": "", "expires": 0}
    assert {**redriven, **same} == {**of_the_rule, **same}
    assert waiting(sqs) == 0


def test_what_is_in_the_table_counts_as_stored(
    host: Host, sqs: "SQSClient", table: str, application: str
) -> None:
    """A row is left as it is: that of the same uplink is enough, another's is said to be there."""
    rows = boto3.resource("dynamodb").Table(table)
    for seqno in (1, 2):
        stored = json.loads(payload(seqno)) | {"device": f"{application}/d", "decoded": {"a": 1}}
        rows.put_item(Item=stored)
    other = json.loads(payload(2)) | {"seqno": 77}
    fail(sqs, error_action(f"lora/{application}/d", payload(1)))
    left = fail(sqs, error_action(f"lora/{application}/d", json.dumps(other).encode()))
    foreign = fail(sqs, "hello")
    done = run(host, "redrive")
    assert (done.returncode, done.stdout) == (1, "redriven=1 left=2 hidden=0\n")
    assert set(done.stderr.splitlines()) == {
        f"left {left}: {application}/d: something else has its time",
        f"left {foreign}: no device: something else than AWS IoT has put it there",
    }
    found = list(uplinks(table, f"{application}/d"))
    assert [(row["seqno"], row["decoded"]) for row in found] == [(2, {"a": 1}), (1, {"a": 1})]
    assert waiting(sqs) == 2


def test_events_are_stored_as_their_rule_does(
    host: Host, sqs: "SQSClient", table: str, application: str
) -> None:
    """The row of an event is in its own partition; one that is there already is enough."""
    event = b'{"type":"join","timestamp":"2026-09-21T14:13:20.123456Z","source":"s","n":[1.5]}'
    with connect(host, BRIDGE, BRIDGE) as bridge:
        assert bridge.publish(f"lora/{application}/d/event/join", event) == 0
    partition = f"{application}/d/event"
    wait_for_rows(table, 1, device=partition)
    (of_the_rule,) = uplinks(table, partition)
    for device in ("d", "e"):
        fail(sqs, error_action(f"lora/{application}/{device}/event/join", event))
    listed = json.loads(run(host, "list", "--format", "json").stdout)
    assert {each["device"] for each in listed} == {partition, f"{application}/e/event"}
    done = run(host, "redrive")
    assert (done.returncode, done.stdout) == (0, "redriven=2 left=0 hidden=0\n")
    (redriven,) = uplinks(table, f"{application}/e/event")
    for row in (redriven, of_the_rule):
        assert row["type"] == "join"
        assert isinstance(row["expires"], int)
        assert "decoded_by" not in row
    assert list(uplinks(table, partition)) == [of_the_rule]


def test_nothing_is_removed_before_it_is_stored(
    sqs: "SQSClient", table: str, application: str
) -> None:
    """What AWS refuses to store for a reason of its own is all given back, at once."""
    for seqno in range(25):
        fail(sqs, error_action(f"lora/{application}/d", payload(seqno)))
    nowhere = Store(boto3.client("dynamodb"), f"{table}-not", None)
    with pytest.raises(ClientError):
        list(store_failures(ErrorQueue(sqs, queue_url(), UNNAMED), nowhere, lambda: False))
    assert waiting(sqs) == 25


class _Twice(ErrorQueue):
    """A queue that hands its first messages over twice, before one that comes after them."""

    body = ""
    calls = 0

    def receive(self, hidden: int, most: int = 10) -> list[Held]:
        self.calls += 1
        held = super().receive(0 if self.calls == 1 else hidden, most)
        if self.calls == 2:
            self._client.send_message(QueueUrl=self._url, MessageBody=self.body)
        return held


def test_what_is_left_and_comes_again_ends_nothing(
    sqs: "SQSClient", table: str, application: str
) -> None:
    """A message that was left is named once, and those after it are stored."""
    left = fail(sqs, "hello")
    queue = _Twice(sqs, queue_url(), UNNAMED)
    queue.body = error_action(f"lora/{application}/d", payload(1))
    results = list(
        store_failures(queue, Store(boto3.client("dynamodb"), table, None), lambda: False)
    )
    assert [reason is None for _failure, reason in results] == [False, True]
    assert results[0][0].id == left
    assert len(list(uplinks(table, f"{application}/d"))) == 1
    assert waiting(sqs) == 1


class _Dying(ErrorQueue):
    """A queue whose user dies before anything is removed, or given back."""

    def remove(self, held: list[Held]) -> list[str | None]:
        del held
        raise KeyboardInterrupt

    def give_back(self, held: object) -> None:
        del held


def test_an_end_between_storing_and_removing(
    host: Host, sqs: "SQSClient", table: str, application: str
) -> None:
    """What was stored and is still in the queue is found stored when it is seen again."""
    fail(sqs, error_action(f"lora/{application}/d", payload(1)))
    store = Store(boto3.client("dynamodb"), table, None)
    with pytest.raises(KeyboardInterrupt):
        list(store_failures(_Dying(sqs, queue_url(), UNNAMED), store, lambda: False, hide_for=1))
    (stored,) = uplinks(table, f"{application}/d")
    wait_for(lambda: waiting(sqs) == 1)
    assert run(host, "redrive").stdout == "redriven=1 left=0 hidden=0\n"
    (found,) = uplinks(table, f"{application}/d")
    assert found["timestamp"] == stored["timestamp"]
    assert waiting(sqs) == 0


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def redriving(host: Host) -> subprocess.Popen[str]:
    """Start a redrive."""
    return subprocess.Popen(
        [*LORA_BRIDGE, "errors", "redrive"],
        env=host.aws.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def counts(said: str) -> tuple[int, int]:
    """Return what a redrive says it has redriven and left."""
    match = re.fullmatch(r"redriven=(\d+) left=(\d+) hidden=\d+\n", said)
    assert match
    return int(match[1]), int(match[2])


def test_what_another_command_hides_is_counted(
    host: Host, sqs: "SQSClient", application: str
) -> None:
    """A queue that looks empty is not said to be so."""
    for seqno in range(3):
        fail(sqs, error_action(f"lora/{application}/d", payload(seqno)))
    held = ErrorQueue(sqs, queue_url(), UNNAMED).receive(60)
    done = run(host, "redrive")
    others = f"redriven={3 - len(held)} left=0 hidden={len(held)}\n"
    assert (done.returncode, done.stdout) == (1, others)
    assert "run this again" in done.stderr
    ErrorQueue(sqs, queue_url(), UNNAMED).give_back(held)
    assert run(host, "redrive").stdout == f"redriven={len(held)} left=0 hidden=0\n"


def test_two_at_once(host: Host, sqs: "SQSClient", table: str, application: str) -> None:
    """Two redrives share the queue, and each uplink is stored once."""
    for seqno in range(60):
        fail(sqs, error_action(f"lora/{application}/d", payload(seqno)))
    both = [redriving(host), redriving(host)]
    said = [each.communicate()[0] for each in both]
    done = [counts(each) for each in said]
    hidden = [int(not each.endswith("hidden=0\n")) for each in said]  # by the other one
    assert [each.returncode for each in both] == hidden
    assert sum(redriven for redriven, _left in done) >= 60
    assert len(list(uplinks(table, f"{application}/d"))) == 60
    assert waiting(sqs) == 0


def test_ctrl_c_ends_with_the_summary(
    host: Host, sqs: "SQSClient", table: str, application: str
) -> None:
    """What was counted is stored and removed; the rest is there for the next run."""
    total = 300
    for seqno in range(total):
        fail(sqs, error_action(f"lora/{application}/d", payload(seqno)))
    interrupted = redriving(host)
    wait_for(lambda: waiting(sqs) < total)
    interrupted.send_signal(signal.SIGINT)
    redriven, left = counts(interrupted.communicate()[0])
    assert (interrupted.returncode, left) == (130, 0)
    assert 0 < redriven < total
    assert len(list(uplinks(table, f"{application}/d"))) == redriven
    assert waiting(sqs) == total - redriven
    assert counts(run(host, "redrive").stdout) == (total - redriven, 0)
    assert len(list(uplinks(table, f"{application}/d"))) == total
