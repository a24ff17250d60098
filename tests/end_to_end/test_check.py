"""Each way to break the set-up is found by one command, which names that link and no other.

It has a local AWS of its own, since it breaks it.
"""

import copy
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from console.check.broker import session
from console.check.chain import State, walk
from console.check.links import Links
from console.deployment import stack_outputs
from contract.deployment import UNNAMED
from contract.names import (
    CERTIFICATES_OUTPUT,
    ERROR_QUEUE_OUTPUT,
    EVENT_RULE_OUTPUT,
    RULE_OUTPUT,
    TABLE_OUTPUT,
)
from lab.aws.cdk import deploy, write_settings
from lab.aws.delivery import accept_plain_delivery
from lab.aws.host import Host
from lab.aws.server import local_aws
from lab.rig.certificates import make_certificates
from lab.rig.chirpstack_broker import chirpstack_broker
from lab.rig.mosquitto import Mosquitto, mosquitto
from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.rig.servers import free_ports
from tests.end_to_end.checked import Checked, Configured, check
from tests.end_to_end.conftest import BRIDGE, OTHER_BRIDGE

pytestmark = pytest.mark.aws

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient
    from mypy_boto3_iot.type_defs import TopicRulePayloadTypeDef, TopicRuleTypeDef

_FILES = ["configuration", "key", "certificate"]
_NETWORK = ["clock", "name", "TCP", "TLS"]
_CLOUD = [
    *("certificate in AWS", "MQTT", "publish", "requests", "rule", "table", "role", "event rule"),
]
_HOPS = [
    *("subscribe", "uplink to bridge", "uplink to broker", "uplink to table", "uplink removed"),
    *("downlink to AWS", "downlink to bridge", "downlink removed"),
]


_WITHOUT = {"[downlinks]": "# [downlinks]"}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Deploy to a local AWS of this module's own, and enroll two bridges."""
    folder = tmp_path_factory.mktemp("check")
    with local_aws(folder) as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        host = Host(aws, folder)
        requests = {name: str(host.keygen(name)) for name in (BRIDGE, OTHER_BRIDGE)}
        context = {"environment": "development", "bridges": requests}
        deploy(os.environ, folder / "cdk.out", write_settings(folder, context))
        for name in (BRIDGE, OTHER_BRIDGE):
            host.enroll(name)
        shutil.copy(folder / "bridge.toml", folder / "as-enrolled.toml")
        yield host


@pytest.fixture
def iot(host: Host) -> "IoTClient":
    """Return a client of AWS IoT."""
    del host  # deployed
    return boto3.client("iot")


@pytest.fixture
def config(host: Host, tmp_path: Path) -> Configured:
    """Return a configuration with a spool, a port and certificates of a test's own."""
    return Configured(host, tmp_path)


def test_a_whole_chain(config: Configured) -> None:
    """Nothing is broken, and the exit status says so."""
    checked = check(config())
    assert checked.whole() == _FILES + _NETWORK + _CLOUD
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
    assert len(said.splitlines()) == len(_FILES + _NETWORK + _CLOUD) + 1
    assert "- settings: not tried, no lora.toml here" in said
    assert re.search(r"^✓ MQTT: connected as network-host-1\.check \(\d+ ms\)$", said, re.MULTILINE)


# Settings


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


# Files


def test_no_configuration(config: Configured) -> None:
    """A configuration that is not there."""
    check(config.folder / "none.toml").breaks_at("configuration", "none.toml: cannot read")


def test_a_wrong_configuration(config: Configured) -> None:
    """A key of the configuration that nobody knows."""
    check(config({"[spool]": "[spol]"})).breaks_at("configuration", "spol")


def test_a_key_that_others_may_read(config: Configured) -> None:
    """A private key of mode 0644."""
    config.key.chmod(0o644)
    check(config()).breaks_at("key", "mode 0644", f"chmod 600 {config.key}")


def test_no_key(config: Configured) -> None:
    """A private key that is not there."""
    config.key.unlink()
    check(config()).breaks_at("key", "No such file", "keygen")


def test_a_key_that_is_none(config: Configured) -> None:
    """A file that holds something else than a private key."""
    config.key.write_text("no key")
    check(config()).breaks_at("key", "not a private key", "keygen")


def test_the_key_of_another(config: Configured) -> None:
    """A private key to which the certificate does not belong."""
    shutil.copy(config.folder / f"{OTHER_BRIDGE}.key", config.key)
    check(config()).breaks_at(
        "certificate", "not the certificate of .*network-host-1.key", "enroll"
    )


def test_no_certificate(config: Configured) -> None:
    """A certificate that was never fetched."""
    config.certificate.unlink()
    check(config()).breaks_at("certificate", "No such file", "enroll")


def test_a_certificate_that_is_none(config: Configured) -> None:
    """A file that holds something else than a certificate."""
    config.certificate.write_text("no certificate")
    check(config()).breaks_at("certificate", "not a certificate", "enroll")


def test_an_expired_certificate(config: Configured) -> None:
    """A certificate whose time is over."""
    config.sign(timedelta(days=-9), timedelta(days=-1))
    check(config()).breaks_at("certificate", r"expired on \d{4}-", "rotate begin")


def test_a_certificate_of_the_future(config: Configured) -> None:
    """A certificate that is not valid yet, as it seems where the clock is wrong."""
    config.sign(timedelta(days=1), timedelta(days=9))
    check(config()).breaks_at("certificate", "valid from .*, not yet", "clock")


# Network


@pytest.mark.parametrize(
    ("skew", "words"), [(120, "1(19|20|21) s ahead of"), (-120, "1(19|20|21) s behind")]
)
def test_a_clock_that_is_off(config: Configured, skew: int, words: str) -> None:
    """A clock two minutes ahead of, or behind, that of AWS."""
    config.sign(timedelta(days=-1), timedelta(days=9))
    links = Links(config(), lambda: datetime.now(UTC) + timedelta(seconds=skew))
    findings = list(walk(links.all(round_trip=False), lambda: 0.0))
    Checked(findings, 1).breaks_at("clock", words, "set-ntp")


def test_a_name_that_is_none(config: Configured) -> None:
    """An endpoint that no name server knows."""
    changed = config({'"localhost"': '"nowhere.invalid"'})
    check(changed).breaks_at("name", "nowhere.invalid", "endpoint")


def test_a_port_that_is_closed(config: Configured) -> None:
    """A port at which nobody listens."""
    (port,) = free_ports(1)
    changed = config({config.endpoint_port: f"port = {port}"})
    check(changed).breaks_at("TCP", f"localhost:{port}: Connection refused", "firewall")


def test_a_wrong_ca(config: Configured) -> None:
    """A root_ca that has not signed the endpoint's certificate."""
    make_certificates(config.folder)
    changed = config({str(config.host.aws.mqtt_ca): "ca.pem"})
    check(changed).breaks_at("TLS", "unable to get local issuer|self.signed", "root_ca")


def test_no_ca(config: Configured) -> None:
    """A root_ca that is not there."""
    changed = config({str(config.host.aws.mqtt_ca): "none.pem"})
    check(changed).breaks_at("TLS", "none.pem: No such file", "root_ca")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Run a broker whose certificate is for ``localhost`` alone."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


def at(config: Configured, broker: Mosquitto, endpoint: str, port: int) -> Path:
    """Return a configuration for this broker."""
    return config(
        {
            '"localhost"': f'"{endpoint}"',
            config.endpoint_port: f"port = {port}",
            str(config.host.aws.mqtt_ca): str(broker.folder / "ca.pem"),
        }
    )


def test_a_wrong_host(config: Configured, broker: Mosquitto) -> None:
    """An endpoint under a name that its certificate does not have."""
    changed = at(config, broker, "127.0.0.1", broker.port)
    check(changed).breaks_at("TLS", "IP address mismatch", "the name in the certificate")


def test_no_tls(config: Configured, broker: Mosquitto) -> None:
    """A port that does not speak TLS."""
    changed = at(config, broker, "localhost", broker.plain_port)
    check(changed).breaks_at("TLS", "no TLS on localhost", "port")


# AWS IoT


def arn_of(iot: "IoTClient", name: str) -> tuple[str, str]:
    """Return the ID and ARN of an identity's certificate."""
    (found,) = stack_outputs(UNNAMED.identity_stack(name), CERTIFICATES_OUTPUT)
    return found, iot.describe_certificate(certificateId=found)["certificateDescription"][
        "certificateArn"
    ]


@contextmanager
def inactive(iot: "IoTClient") -> Iterator[None]:
    """Make the certificate inactive for a time."""
    found, _arn = arn_of(iot, BRIDGE)
    iot.update_certificate(certificateId=found, newStatus="INACTIVE")
    try:
        yield
    finally:
        iot.update_certificate(certificateId=found, newStatus="ACTIVE")


def test_an_inactive_certificate(config: Configured, iot: "IoTClient") -> None:
    """A certificate that somebody has deactivated, seen with AWS credentials."""
    with inactive(iot):
        checked = check(config())
    checked.breaks_at("certificate in AWS", "is INACTIVE", "update-certificate --new-status ACTIVE")


def test_an_inactive_certificate_seen_from_outside(config: Configured, iot: "IoTClient") -> None:
    """Without AWS credentials, that AWS IoT does not let the bridge in is all there is to see."""
    with inactive(iot):
        checked = check(config(), credentials=False)
    checked.breaks_at("MQTT", "refused as network-host-1.check", "active")


@contextmanager
def other_policy(iot: "IoTClient", *statements: Mapping[str, str]) -> Iterator[None]:
    """Put a policy in the place of the certificate's own ones for a time, or none."""
    _id, arn = arn_of(iot, BRIDGE)
    own = iot.list_attached_policies(target=arn)["policies"]
    for each in own:
        iot.detach_policy(policyName=each["policyName"], target=arn)
    if statements:
        document = {"Version": "2012-10-17", "Statement": statements}
        iot.create_policy(policyName="other", policyDocument=json.dumps(document))
        iot.attach_policy(policyName="other", target=arn)
    try:
        yield
    finally:
        if statements:
            iot.detach_policy(policyName="other", target=arn)
            iot.delete_policy(policyName="other")
        for each in own:
            iot.attach_policy(policyName=each["policyName"], target=arn)


def test_a_certificate_without_a_policy(config: Configured, iot: "IoTClient") -> None:
    """A certificate from which its policy was detached."""
    with other_policy(iot):
        checked = check(config())
    checked.breaks_at("certificate in AWS", "no policy is attached", "revert-drift")


def test_a_certificate_without_its_thing(config: Configured, iot: "IoTClient") -> None:
    """A certificate that was detached from its thing."""
    _id, arn = arn_of(iot, BRIDGE)
    iot.detach_thing_principal(thingName=BRIDGE, principal=arn)
    try:
        checked = check(config())
    finally:
        iot.attach_thing_principal(thingName=BRIDGE, principal=arn)
    checked.breaks_at("certificate in AWS", "attached to no thing, not network-host-1", "drift")


def test_a_certificate_of_another_account(config: Configured) -> None:
    """A certificate that AWS IoT does not know, of a name that it does not know either."""
    config.sign(timedelta(days=-1), timedelta(days=9))
    changed = config({f'client_id = "{BRIDGE}"': 'client_id = "stranger"'})
    checked = check(changed)
    checked.breaks_at("certificate in AWS", "AWS IoT does not know", "this account's, and run")


def deploy_csrs(host: Host, *files: Path) -> None:
    """Deploy the other bridge with the certificates of these CSRs alone."""
    settings = write_settings(host.folder, {"bridges": {OTHER_BRIDGE: list(map(str, files))}})
    stack = UNNAMED.identity_stack(OTHER_BRIDGE)
    deploy(os.environ, host.folder / "cdk.out", settings, stack)


def test_a_retired_certificate(config: Configured, iot: "IoTClient") -> None:
    """Each remedy of a certificate that was replaced leads to one that works."""
    host, original = config.host, config.host.keygen("original")
    shutil.copy(original, config.folder / f"{OTHER_BRIDGE}.csr")
    which = ("--name", OTHER_BRIDGE, "--dir", str(config.folder))
    path = config({BRIDGE: OTHER_BRIDGE}).replace(config.folder / "bridge.toml")
    files = [config.folder / f"{OTHER_BRIDGE}.{suffix}" for suffix in ("key", "pem")]
    before = [(file, file.read_bytes()) for file in files]

    host.lora_bridge("rotate", "begin", *which)
    deploy_csrs(host, config.folder / f"{OTHER_BRIDGE}.next.csr")
    check(path).breaks_at("certificate in AWS", "does not know", "rotate switch")
    host.lora_bridge("rotate", "switch", *which)
    assert check(path).status == 0

    for file, content in before:  # as from a backup
        file.unlink()
        file.write_bytes(content)
        file.chmod(0o600)
    check(path).breaks_at("certificate in AWS", "does not know", "no longer named")
    (config.folder / f"{OTHER_BRIDGE}.csr").unlink()
    request = host.keygen(OTHER_BRIDGE)
    deploy_csrs(host, request)
    check(path).breaks_at("certificate in AWS", "does not know", "lora-bridge enroll")
    host.enroll(OTHER_BRIDGE)
    assert check(path).status == 0

    which_one, arn = arn_of(iot, OTHER_BRIDGE)
    iot.update_certificate(certificateId=which_one, newStatus="REVOKED")
    check(path).breaks_at("certificate in AWS", "is REVOKED", "rotate begin")
    iot.detach_thing_principal(thingName=OTHER_BRIDGE, principal=arn)
    iot.delete_certificate(certificateId=which_one, forceDelete=True)
    check(path).breaks_at("certificate in AWS", "does not know", "revert-drift, and fetch it")


def test_a_client_id_of_another(config: Configured) -> None:
    """A client ID that is not the enrolled name, with and without AWS credentials."""
    changed = config({f'client_id = "{BRIDGE}"': 'client_id = "stranger"'})
    words = "attached to network-host-1, not stranger"
    check(changed).breaks_at("certificate in AWS", words, "client_id")
    check(changed, credentials=False).breaks_at("MQTT", "refused as stranger", "client_id")


def test_a_policy_without_the_topics(config: Configured, iot: "IoTClient") -> None:
    """A policy that lets the bridge connect, but not publish where uplinks go."""
    anyone = {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}
    elsewhere = {
        "Effect": "Allow",
        "Action": "iot:Publish",
        "Resource": "arn:aws:iot:us-east-1:000000000000:topic/elsewhere/*",
    }
    with other_policy(iot, anyone, elsewhere):
        checked = check(config())
    checked.breaks_at("publish", "lora/check/.*NOT_AUTHORIZED", "iot:Publish")


def test_a_policy_without_requests(config: Configured, iot: "IoTClient") -> None:
    """A policy of before there were downlinks, which lets the bridge publish alone."""
    before = [
        {"Effect": "Allow", "Action": action, "Resource": "*"}
        for action in ("iot:Connect", "iot:Publish")
    ]
    with other_policy(iot, *before):
        checked = check(config())
    checked.breaks_at("requests", r"lora/\+/\+/down: NOT_AUTHORIZED", "iot:Subscribe")


def payload_of(rule: "TopicRuleTypeDef") -> "TopicRulePayloadTypeDef":
    """Return what a rule is made of."""
    return {
        "sql": rule["sql"],
        "awsIotSqlVersion": rule["awsIotSqlVersion"],
        "actions": rule["actions"],
        "errorAction": rule["errorAction"],
    }


@pytest.mark.parametrize(
    ("output", "link"), [(RULE_OUTPUT, "rule"), (EVENT_RULE_OUTPUT, "event rule")]
)
def test_a_disabled_rule(config: Configured, iot: "IoTClient", output: str, link: str) -> None:
    """A rule that somebody has switched off."""
    (rule,) = stack_outputs(UNNAMED.store_stack, output)
    iot.disable_topic_rule(ruleName=rule)
    try:
        checked = check(config())
    finally:
        iot.enable_topic_rule(ruleName=rule)
    checked.breaks_at(link, f"{rule} is disabled", f"enable-topic-rule --rule-name {rule}")


def test_a_rule_that_is_gone(config: Configured, iot: "IoTClient") -> None:
    """A rule that somebody has deleted."""
    (name,) = stack_outputs(UNNAMED.store_stack, RULE_OUTPUT)
    rule = iot.get_topic_rule(ruleName=name)["rule"]
    iot.delete_topic_rule(ruleName=name)
    try:
        checked = check(config())
    finally:
        iot.create_topic_rule(ruleName=name, topicRulePayload=payload_of(rule))
    checked.breaks_at("rule", f"no rule {name}", "revert-drift")


@contextmanager
def role_without_rights(iot: "IoTClient") -> Iterator[str]:
    """Take its rights from the rule's role for a time."""
    (name,) = stack_outputs(UNNAMED.store_stack, RULE_OUTPUT)
    (action,) = iot.get_topic_rule(ruleName=name)["rule"]["actions"]
    role = action["dynamoDBv2"]["roleArn"].rpartition("/")[2]
    iam = boto3.client("iam")
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName=policy)
    try:
        yield role
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))


def test_a_role_without_rights(config: Configured, iot: "IoTClient") -> None:
    """A role that may no longer write to the table."""
    with role_without_rights(iot) as role:
        checked = check(config())
    checked.breaks_at("role", f"{role} may not dynamodb:PutItem", "revert-drift")


# The round trip


@pytest.fixture
def bridge(config: Configured) -> Iterator[tuple[RunningBridge, Path]]:
    """Run the bridge; return it with its configuration."""
    path = config()
    with running_bridge(path) as running:
        running.says("ready: ")
        running.says("ready for downlinks")
        yield running, path


def test_a_round_trip(bridge: tuple[RunningBridge, Path]) -> None:
    """An uplink and a downlink go the whole way beside the running bridge, and leave nothing."""
    running, path = bridge
    checked = check(path, "--round-trip")
    assert checked.whole() == _FILES + _NETWORK + _CLOUD + _HOPS
    (table,) = stack_outputs(UNNAMED.store_stack, TABLE_OUTPUT)
    assert boto3.client("dynamodb").scan(TableName=table)["Count"] == 0
    assert "connection lost" not in running.log
    counts = running.stop()
    assert (counts["accepted"], counts["published"]) == (1, 1)


def test_a_round_trip_with_chirpstack_alone(config: Configured) -> None:
    """Where no network server connects, the test uplink goes by ChirpStack's broker."""
    with chirpstack_broker(config.folder) as broker:
        changes = {"[[listen]]": "[[chirpstack]]", "port = 6500": f"port = {broker.port}"}
        path = config(changes)
        with running_bridge(path) as running, closing(session(broker.settings, "site")) as site:
            running.says("ready: ")
            running.says("ready for downlinks")
            running.says("ready for events")
            site.connect()
            site.subscribe("application/+/device/+/command/+")  # as ChirpStack does
            checked = check(path, "--round-trip")
            counts = running.stop()
    links = ["broker", "session", "broker's losses", "commands"]  # devices are silent
    assert checked.whole() == ["configuration", *links, *_FILES[1:], *_NETWORK, *_CLOUD, *_HOPS]
    assert (counts["accepted"], counts["published"]) == (1, 1)
    (table,) = stack_outputs(UNNAMED.store_stack, TABLE_OUTPUT)
    assert boto3.client("dynamodb").scan(TableName=table)["Count"] == 0


def test_without_downlinks(config: Configured) -> None:
    """What the configuration does not ask for is not tried, with the reason, and breaks nothing."""
    path = config(_WITHOUT)
    with running_bridge(path) as running:
        running.says("ready: ")
        checked = check(path, "--round-trip")
    not_tried = [each for each in checked.findings if each.state is State.NOT_TRIED]
    links = ["requests", "downlink to AWS", "downlink to bridge", "downlink removed", "settings"]
    assert [each.link for each in not_tried] == links
    assert {each.detail for each in not_tried[:2]} == {
        "there is no [downlinks] in the configuration"
    }
    assert checked.status == 0


def test_a_bridge_that_takes_no_downlinks(config: Configured) -> None:
    """One that was not restarted since [downlinks] came into its configuration."""
    path = config(_WITHOUT)
    with running_bridge(path) as running:
        running.says("ready: ")
        asking = config.folder / "asking.toml"
        asking.write_text(path.read_text().replace("# [downlinks]", "[downlinks]"))
        checked = check(asking, "--round-trip")
    checked.breaks_at(
        "downlink to bridge", "none of its steps in .* after 10 s", "restart the bridge"
    )


def test_no_bridge(config: Configured) -> None:
    """A bridge that does not run."""
    check(config(), "--round-trip").breaks_at(
        "uplink to bridge", "127.0.0.1:\\d+: Connection refused", "lora-bridge run"
    )


def test_a_bridge_that_publishes_nothing(config: Configured) -> None:
    """Something else than a connected bridge takes the frames."""
    path = config()
    port = int(re.findall(r"^port = (\d+)", path.read_text(), re.MULTILINE)[0])
    with socket.create_server(("127.0.0.1", port), backlog=1):
        check(path, "--round-trip").breaks_at("uplink to bridge", "timed out", "see its log")


def test_a_bridge_that_is_not_connected(config: Configured) -> None:
    """A bridge that runs, and cannot reach AWS IoT."""
    path = config()
    (port,) = free_ports(1)
    away = config.folder / "away.toml"
    away.write_text(path.read_text().replace(config.endpoint_port, f"port = {port}"))
    with running_bridge(away) as running:
        running.says("listening")
        check(path, "--round-trip").breaks_at(
            "uplink to broker", "nothing on lora/check/network-host-1", "the bridge's log"
        )


def test_a_rule_for_another_table(bridge: tuple[RunningBridge, Path], iot: "IoTClient") -> None:
    """A rule that cannot store: what it says of the test uplink is told, and taken away."""
    (name, queue) = stack_outputs(UNNAMED.store_stack, RULE_OUTPUT, ERROR_QUEUE_OUTPUT)
    rule = iot.get_topic_rule(ruleName=name)["rule"]
    payload = payload_of(rule)
    changed = copy.deepcopy(payload)
    changed["actions"][0]["dynamoDBv2"]["putItem"]["tableName"] = "none"
    sqs = boto3.client("sqs")
    accept_plain_delivery()
    iot.replace_topic_rule(ruleName=name, topicRulePayload=changed)
    try:
        checked = check(bridge[1], "--round-trip")
    finally:
        iot.replace_topic_rule(ruleName=name, topicRulePayload=payload)
    checked.breaks_at("uplink to table", "no row in .*", "revert-drift")
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)


def test_a_table_that_is_gone(bridge: tuple[RunningBridge, Path]) -> None:
    """A table that somebody has deleted; last, since nothing brings it back."""
    (table,) = stack_outputs(UNNAMED.store_stack, TABLE_OUTPUT)
    boto3.client("dynamodb").delete_table(TableName=table)
    check(bridge[1]).breaks_at("table", f"no table {table}", "revert-drift")
