"""What AWS IoT knows of the bridge's certificate."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract.deployment import UNNAMED
from lab.aws.cdk import deploy, write_settings
from tests.end_to_end.check.in_aws import arn_of
from tests.end_to_end.checked import Configured, check
from tests.end_to_end.conftest import BRIDGE, OTHER_BRIDGE

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

pytestmark = pytest.mark.aws


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


def deploy_csrs(config: Configured, *files: Path) -> None:
    """Deploy the other bridge with the certificates of these CSRs alone."""
    settings = write_settings(config.folder, {"bridges": {OTHER_BRIDGE: list(map(str, files))}})
    stack = UNNAMED.identity_stack(OTHER_BRIDGE)
    deploy(os.environ, config.folder / "cdk.out", settings, stack)


def test_a_retired_certificate(config: Configured, iot: "IoTClient") -> None:
    """Each remedy of a certificate that was replaced leads to one that works."""
    host, original = config.host, config.host.keygen("original")
    shutil.copy(original, config.folder / f"{OTHER_BRIDGE}.csr")
    which = ("--name", OTHER_BRIDGE, "--dir", str(config.folder))
    path = config({BRIDGE: OTHER_BRIDGE}).replace(config.folder / "bridge.toml")
    files = [config.folder / f"{OTHER_BRIDGE}.{suffix}" for suffix in ("key", "pem")]
    before = [(file, file.read_bytes()) for file in files]

    host.lora_bridge("rotate", "begin", *which)
    deploy_csrs(config, config.folder / f"{OTHER_BRIDGE}.next.csr")
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
    deploy_csrs(config, request)
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
