"""The pages of the path and of errors, in a browser, over the stacks that are deployed."""

import json
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from playwright.sync_api import Browser, Page, expect

from console.deployment import stack_outputs
from console.recovery.error_queue import deployed_queue
from console.store.history import uplinks
from contract.deployment import UNNAMED
from contract.names import ERROR_QUEUE_OUTPUT, RULE_OUTPUT
from lab.aws.host import Host
from lab.rig.browser import chromium, visit
from lab.rig.running_bridge import running_bridge
from lab.rig.running_web import RunningWeb, running_web
from lab.rig.servers import free_ports
from tests.console.recovery.error_actions import REASON, error_action

pytestmark = [pytest.mark.aws, pytest.mark.browser]

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_SLOW = 60_000  # milliseconds
_READING = [
    *("cloudformation:DescribeStacks", "dynamodb:Query", "dynamodb:DescribeTable"),
    *("iot:GetTopicRule", "sqs:GetQueueAttributes"),
]
_ALL_OF_AWS = "5 links are whole: all that AWS can tell"
_HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def sqs(host: Host) -> "Iterator[SQSClient]":
    """Return a client of SQS, with nothing in the error queue before the test and after it."""
    del host  # deployed
    client = boto3.client("sqs")
    client.purge_queue(QueueUrl=queue_url())
    yield client
    client.purge_queue(QueueUrl=queue_url())


def queue_url() -> str:
    """Return where the error queue is."""
    (url,) = stack_outputs(UNNAMED.store_stack, ERROR_QUEUE_OUTPUT)
    return url


@contextmanager
def opened(browser: Browser, web: RunningWeb, path: str) -> Iterator[Page]:
    """Open a page, which may complain of nothing."""
    with visit(browser, web.at(path)) as found:
        yield found.page
        assert found.complaints == []


@contextmanager
def credentials(name: str, *actions: str) -> Iterator[dict[str, str]]:
    """Give credentials of a user who may do this, and nothing else."""
    iam = boto3.client("iam")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": [*actions], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        yield {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="p")
        iam.delete_user(UserName=name)


@contextmanager
def serving(
    host: Host, folder: Path, *options: str, others: dict[str, str] | None = None
) -> Iterator[RunningWeb]:
    """Serve the pages of what is deployed."""
    with running_web(host.aws.environment() | (others or {}), folder, options) as web:
        yield web


def test_a_broken_link_is_red_until_it_is_mended(
    host: Host, browser: Browser, tmp_path: Path
) -> None:
    """It says why, and what to do; what comes after it was not tried; then all is green."""
    (rule,) = stack_outputs(UNNAMED.store_stack, RULE_OUTPUT)
    iot = boto3.client("iot")
    iot.disable_topic_rule(ruleName=rule)
    try:
        with serving(host, tmp_path) as web, opened(browser, web, "/") as page:
            links = page.locator("#links > li")
            expect(page.locator("#verdict")).to_have_text("The path is broken at: rule")
            expect(links.nth(0)).to_contain_text("stack whole: LoraStore is deployed")
            expect(links.nth(1)).to_have_class("broken")
            expect(links.nth(1)).to_contain_text(f"✗rule broken: {rule} is disabled")
            remedy = f"What to do: enable it: aws iot enable-topic-rule --rule-name {rule}"
            expect(links.nth(1).locator(".remedy")).to_have_text(remedy)
            expect(links.last).to_contain_text("What comes after it was not tried.")
            iot.enable_topic_rule(ruleName=rule)
            page.reload()  # what was found is kept
            expect(page.locator("#verdict")).to_have_text("The path is broken at: rule")
            page.get_by_role("button", name="Look again").click()
            expect(page.locator("#verdict")).to_have_text(_ALL_OF_AWS)
            expect(page.get_by_role("button", name="Send a test uplink")).to_have_count(0)
            expect(page.locator("#content")).to_contain_text("lora-bridge web --config FILE")
    finally:
        iot.enable_topic_rule(ruleName=rule)


def test_the_whole_path_beside_a_bridge(
    host: Host, browser: Browser, spool: dict[str, str], tmp_path: Path
) -> None:
    """From the configuration on, with what the bridge says of itself, and a test uplink."""
    (port,) = free_ports(1)
    metrics = {"# [http]": "[http]", "# port = 6580": f"port = {port}"}
    config, listening = host.configure("web.toml", {**spool, **metrics})
    with (
        running_bridge(config) as bridge,
        serving(host, tmp_path, "--config", str(config)) as web,
        opened(browser, web, "/") as page,
    ):
        bridge.says("ready for downlinks")
        unasked = "14 links are whole, 1 was not tried. The bridge runs."
        expect(page.locator("#verdict")).to_have_text(unasked, timeout=_SLOW)
        page.get_by_role("button", name="Look again").click()
        whole = "The path is whole: 15 links, and the bridge runs"
        expect(page.locator("#verdict")).to_have_text(whole, timeout=_SLOW)
        expect(page.locator("#when")).to_have_text(re.compile(r"^looked (now|\d+ s ago)$"))
        expect(page.locator("#test-device")).to_have_text("check/network-host-1")
        expect(page.locator("#links > li").first).to_contain_text(f"configuration whole: {config}")
        expect(page.locator("#bridge")).to_contain_text("Waitingnothing")
        expect(page.locator("#bridge")).to_contain_text("AWS IoT1 connection")
        test = page.get_by_role("button", name="Send a test uplink")
        test.click()
        sending = re.compile("before a test uplink …$|^Sending a test uplink …$")
        expect(page.locator("#verdict")).to_have_text(sending)
        expect(page.locator("#verdict")).to_have_text("The path is whole: 23 links", timeout=_SLOW)
        expect(page.locator("#links > li").last).to_contain_text("its 3 rows are gone")
        with socket.create_connection(("127.0.0.1", listening)) as connection:
            connection.sendall(b"<hello>\0")
        bridge.says("frame rejected: not JSON")
        with opened(browser, web, "/errors") as errors:
            words = "1 frame that the bridge could not read."
            expect(errors.locator("#kept")).to_contain_text(words, timeout=_SLOW)
            expect(errors.locator("#kept")).to_contain_text("No messages that AWS IoT refused.")
        page.get_by_role("button", name="Look again").click()
        expect(page.locator("#verdict")).to_have_text(whole, timeout=_SLOW)
        bridge.process.send_signal(signal.SIGSTOP)
        silent = "15 links are whole, but the bridge does not answer"
        expect(page.locator("#verdict")).to_have_text(silent, timeout=_SLOW)
        bridge.process.send_signal(signal.SIGCONT)
        expect(page.locator("#verdict")).to_have_text(whole, timeout=_SLOW)
        (rule,) = stack_outputs(UNNAMED.store_stack, RULE_OUTPUT)
        boto3.client("iot").disable_topic_rule(ruleName=rule)
        try:
            test.click()
            unsent = "The path is broken at: rule. The test uplink was not sent."
            expect(page.locator("#verdict")).to_have_text(unsent, timeout=_SLOW)
        finally:
            boto3.client("iot").enable_topic_rule(ruleName=rule)
        bridge.stop()
        problem = f"http://127.0.0.1:{port}/metrics: Connection refused"
        expect(page.locator("#bridge .problem")).to_have_text(problem, timeout=_SLOW)


def test_a_bridge_of_which_nobody_knows(
    host: Host, browser: Browser, spool: dict[str, str], tmp_path: Path
) -> None:
    """Without [http] and without a test uplink the page does not say that the path is whole."""
    config, _ = host.configure("quiet.toml", spool)
    options = ("--config", str(config))
    with serving(host, tmp_path, *options) as web, opened(browser, web, "/") as page:
        page.get_by_role("button", name="Look again").click()
        said = "15 links are whole. Whether the bridge runs is told by a test uplink."
        expect(page.locator("#verdict")).to_have_text(said, timeout=_SLOW)
        expect(page.locator("#verdict")).to_have_class("verdict ")


def test_what_was_not_stored_is_seen_and_redriven(
    host: Host, browser: Browser, sqs: "SQSClient", application: str, tmp_path: Path
) -> None:
    """The queue is looked into by a click, put through by another, and says what is left."""
    uplink = b'{"port1_bytes":[1],"timestamp":"2026-09-21T14:13:20.000000Z","seqno":7}'
    sqs.send_message(
        QueueUrl=queue_url(), MessageBody=error_action(f"lora/{application}/d", uplink)
    )
    left = sqs.send_message(
        QueueUrl=queue_url(), MessageBody=error_action(f"lora/a/{_HOSTILE}", b'{"seqno":"<b>"}')
    )["MessageId"]
    with serving(host, tmp_path) as web, opened(browser, web, "/errors") as page:
        expect(page.locator("#error-queue")).to_contain_text("2 messages that could not be stored")
        expect(page.locator("#messages")).not_to_be_visible()
        page.get_by_role("button", name="Look").click()
        expect(page.locator("#seen")).to_have_text("2 messages.", timeout=_SLOW)
        row = page.locator("#messages tbody tr", has_text=f"{application}/d")
        expect(row.locator("td").nth(2)).to_have_text("7")
        expect(row.locator("td").nth(3)).to_have_text(REASON)
        expect(row.locator("a")).to_have_attribute("href", f"/devices/{application}/d")
        row.locator("summary").click()
        expect(row.locator("pre")).to_contain_text('"port1_bytes": [')
        expect(page.locator("#messages tbody a").first).to_have_text(re.compile("<img|/d"))
        assert page.locator("img").count() == 0
        assert deployed_queue(UNNAMED).depth().waiting == 2
        page.get_by_role("button", name="Redrive").click()
        said = "1 message stored and taken out of the queue, 1 left there, for these reasons."
        expect(page.locator("#progress")).to_have_text(said, timeout=_SLOW)
        expect(page.locator("#left li")).to_contain_text(f"{left} of a/{_HOSTILE}: ")
        expect(page.locator("#stays")).to_contain_text("until it is 14 days old")
        expect(page.locator("#error-queue")).to_contain_text("1 message that could not be stored")
        (table,) = stack_outputs(UNNAMED.store_stack, "TableName")
        assert len(list(uplinks(table, f"{application}/d"))) == 1
        sqs.purge_queue(QueueUrl=queue_url())
        page.reload()
        expect(page.locator("#error-queue")).to_have_text("Nothing waits in the error queue.")


def test_a_redrive_ends_well_with_the_server(
    host: Host, browser: Browser, sqs: "SQSClient", application: str, tmp_path: Path
) -> None:
    """What was not stored when the server ended is in the queue, and nobody hides it."""
    total = 1000
    topic = f"lora/{application}/d"
    for first in range(0, total, 10):
        times = [f"2026-09-21T14:13:20.{number:06}Z" for number in range(first, first + 10)]
        bodies = [error_action(topic, json.dumps({"timestamp": each}).encode()) for each in times]
        sqs.send_message_batch(
            QueueUrl=queue_url(),
            Entries=[{"Id": str(id_), "MessageBody": body} for id_, body in enumerate(bodies)],
        )
    with serving(host, tmp_path) as web, visit(browser, web.at("/errors")) as found:
        found.page.get_by_role("button", name="Redrive").click()
        expect(found.page.locator("#progress")).to_contain_text("stored", timeout=_SLOW)
        web.process.terminate()
        web.process.wait(30)
    depth = deployed_queue(UNNAMED).depth()
    (table,) = stack_outputs(UNNAMED.store_stack, "TableName")
    stored = len(list(uplinks(table, f"{application}/d")))
    assert (depth.held, depth.waiting) == (0, total - stored)
    assert 0 < stored < total
    sqs.purge_queue(QueueUrl=queue_url())


def test_credentials_that_may_only_read(
    host: Host, browser: Browser, sqs: "SQSClient", tmp_path: Path
) -> None:
    """What they may not do is off, and says why; what they may not see spoils nothing else."""
    sqs.send_message(QueueUrl=queue_url(), MessageBody="hello")
    with (
        credentials("read-only", *_READING, "iam:SimulatePrincipalPolicy") as key,
        serving(host, tmp_path, others=key) as web,
    ):
        with opened(browser, web, "/errors") as page:
            expect(page.locator("#redrive-note")).to_contain_text(
                "Your AWS credentials may not do this."
            )
            expect(page.get_by_role("button", name="Redrive")).to_be_disabled()
            expect(page.locator("#error-queue")).to_contain_text("1 message")
        with opened(browser, web, "/devices/a/d") as page:
            expect(page.locator("#go-note")).to_have_text(
                "Your AWS credentials may not send downlinks to this device."
            )
            expect(page.get_by_role("button", name="Send downlink")).to_be_disabled()
        with opened(browser, web, "/") as page:
            expect(page.locator("#alarms .problem")).to_contain_text("cloudwatch:DescribeAlarms")
            expect(page.locator("#error-queue")).to_contain_text("1 message")
            expect(page.locator("#verdict")).to_have_text(_ALL_OF_AWS)
    assert deployed_queue(UNNAMED).depth().waiting == 1


def test_credentials_of_which_iam_says_nothing(
    host: Host, browser: Browser, sqs: "SQSClient", tmp_path: Path
) -> None:
    """The button is there, and AWS refuses: that is shown, and nothing has changed."""
    sqs.send_message(QueueUrl=queue_url(), MessageBody="hello")
    with (
        credentials("unknown", *_READING) as key,
        serving(host, tmp_path, others=key) as web,
        opened(browser, web, "/errors") as page,
    ):
        page.get_by_role("button", name="Redrive").click()
        expect(page.locator("#problem")).to_contain_text("sqs:ReceiveMessage", timeout=_SLOW)
        expect(page.locator("#progress")).to_contain_text("still in the queue")
    assert deployed_queue(UNNAMED).depth().waiting == 1
