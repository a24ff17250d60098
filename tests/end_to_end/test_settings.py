"""What lora.toml says stays deployed, and a difference is found."""

import os
from pathlib import Path

import boto3
import pytest

from contract.deployment import Deployment
from lab.aws.cdk import cdk, deploy, settings_option, write_settings
from lab.aws.host import Host
from lab.aws.server import LocalAws
from tests.end_to_end.checked import check

pytestmark = pytest.mark.aws

KEPT = Deployment("kept")


def templates() -> dict[str, str]:
    """Return the templates of the deployment's stacks, and when each was last changed."""
    client = boto3.client("cloudformation")
    return {
        name: f"{client.get_template(StackName=name)['TemplateBody']}"
        for name in (KEPT.store_stack, KEPT.identity_stack("host-1"))
    }


def test_nothing_vanishes(aws: LocalAws, tmp_path: Path) -> None:
    """A second deploy, with nothing else said, changes nothing; -c alone does not last."""
    host = Host(aws, tmp_path, KEPT)
    settings: dict[str, object] = {
        "deployment": KEPT.name,
        "environment": "development",
        "retention_days": 30,
        "bridges": {"host-1": str(host.keygen("host-1"))},
        "applications": {"host-1": ["37817737f13"]},
    }
    path = write_settings(tmp_path, settings)
    output = tmp_path / "cdk.out"
    deploy(os.environ, output, path)
    first = templates()
    assert deploy(os.environ, output, path).count("(no changes)") == 2
    assert templates() == first
    whole = check(tmp_path / "none.toml", "--settings", str(path))
    assert (whole.whole(), whole.status) == (["settings"], 0)

    options = ("--require-approval=never", "--method=direct", "--no-notices")
    where = (f"--output={output}", settings_option(path))
    said = cdk(os.environ, "deploy", "--all", *options, *where, "--context=retention_days=60")
    assert "retention_days: said by -c alone" in said
    assert templates() != first
    found = check(tmp_path / "none.toml", "--settings", str(path))
    assert found.findings[-1].detail == "retention_days: 30 on file, 60 deployed"
    deploy(os.environ, output, path)
    assert templates() == first
    assert check(tmp_path / "none.toml", "--settings", str(path)).status == 0
