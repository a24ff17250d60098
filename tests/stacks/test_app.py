"""The app as a whole: nothing remote or random, no finding of the linters, clear mistakes."""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
from aws_cdk import aws_sqs as sqs

import app
from lab.aws.cdk import PROJECT, CdkError, cdk
from stacks.settings import read_settings
from tests.stacks.conftest import feature_flags

Synthesize = Callable[[dict[str, object]], Path]
Resource = dict[str, Any]

UNTAGGED = {
    "AWS::IoT::Certificate",
    "AWS::IoT::PolicyPrincipalAttachment",
    "AWS::IoT::Thing",
    "AWS::IoT::ThingPrincipalAttachment",
    "AWS::SQS::QueuePolicy",
}
"""The types that CloudFormation takes no tags for."""
_WITHOUT_RESOURCES = ("cloudwatch:PutMetricData",)
"""Actions that IAM ties to no resource; their conditions are looked at elsewhere."""


def templates(folder: Path) -> dict[str, str]:
    """Return the templates in a cloud assembly."""
    return {path.name: path.read_text() for path in folder.glob("*.template.json")}


def resources(folder: Path) -> list[Resource]:
    """Return every resource of every template."""
    found = [json.loads(text)["Resources"].values() for text in templates(folder).values()]
    return [resource for each in found for resource in each]


def test_one_stack_for_the_store_and_each_identity(production: Path) -> None:
    """Data and machines are deployed and removed apart."""
    assert sorted(templates(production)) == [
        "LoraIdentity-host-1.template.json",
        "LoraIdentity-reader.template.json",
        "LoraStore.template.json",
    ]


def test_fifty_bridges_share_one_store(synthesize: Synthesize, csr: Path) -> None:
    """Each has a stack of its own, and there is one store for all of them."""
    names = [f"host-{number}" for number in range(50)]
    found = templates(synthesize({"bridges": dict.fromkeys(names, str(csr))}))
    stacks = ["LoraStore", *(f"LoraIdentity-{name}" for name in names)]
    assert sorted(found) == sorted(f"{stack}.template.json" for stack in stacks)


def test_synthesis_is_repeatable(synthesize: Synthesize, production: Path, csr: Path) -> None:
    """The same context gives the same templates: no clock, no random value."""
    context: dict[str, object] = {"consumers": {"reader": str(csr)}}
    again = synthesize(context | {"bridges": json.dumps({"host-1": str(csr)})})
    assert templates(again) == templates(production)


def test_no_custom_resource_and_one_function(production: Path) -> None:
    """CloudFormation's own resources suffice; the only function is the decoder."""
    kinds = [resource["Type"] for resource in resources(production)]
    assert not [kind for kind in kinds if "Custom" in kind]
    assert kinds.count("AWS::Lambda::Function") == 1


def test_no_bare_wildcard(production: Path) -> None:
    """No statement that allows something names `*` alone as action, resource or principal."""
    for resource in resources(production):
        text = json.dumps(resource)
        for document in ("PolicyDocument", "AssumeRolePolicyDocument"):
            if f'"{document}"' not in text:
                continue
            for statement in find_statements(resource):
                if statement["Effect"] == "Allow" and statement["Action"] not in _WITHOUT_RESOURCES:
                    assert "*" not in (statement["Action"], statement.get("Resource"))
                    assert statement.get("Principal") != "*"


def find_statements(value: object) -> list[Resource]:
    """Return every policy statement in a resource, at any depth."""
    if isinstance(value, dict):
        own: list[Resource] = value.get("Statement", [])
        return own + [each for inner in value.values() for each in find_statements(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in find_statements(inner)]
    return []


def test_physical_names_only_where_they_mean_something(production: Path) -> None:
    """Only things are named, after their machines; CloudFormation names the rest."""
    named = [
        (resource["Type"], key)
        for resource in resources(production)
        for key in resource.get("Properties", {})
        if key in ("TableName", "QueueName", "RoleName", "RuleName", "PolicyName", "ThingName")
        and isinstance(resource["Properties"][key], str)
    ]
    assert named == [("AWS::IoT::Thing", "ThingName")] * 2


def test_all_that_takes_tags_has_them(production: Path) -> None:
    """Each resource says of which project and stack it is, for bills and for who finds it."""
    for name, text in templates(production).items():
        stack = name.removesuffix(".template.json")
        tags = [{"Key": "project", "Value": "lora-bridge"}, {"Key": "stack", "Value": stack}]
        for resource in json.loads(text)["Resources"].values():
            if resource["Type"] not in UNTAGGED:
                properties = resource["Properties"]
                # A global table has tags for each replica.
                (replica,) = properties.get("Replicas", [properties])
                assert replica["Tags"] == tags, resource["Type"]


def test_the_feature_flags_are_those_that_the_cdk_recommends() -> None:
    """A newer CDK changes nothing of a template unless cdk.json is changed, too."""
    (library,) = Path(aws_cdk.__file__).parent.glob("_jsii/aws-cdk-lib@*.tgz")
    with tarfile.open(library) as archive:
        file = archive.extractfile("package/recommended-feature-flags.json")
        assert file is not None
        assert feature_flags() == json.load(file)


def test_cdk_nag_finds_nothing(production: Path, guarded: Path, told: Path) -> None:
    """The AwsSolutions pack has no finding without an acknowledged reason."""
    for folder in (production, guarded, told):
        report = json.loads((folder / "validation-report.json").read_text())
        assert report["pluginReports"] == []


def test_cdk_nag_would_find_something(tmp_path: Path, no_settings: Path) -> None:
    """A queue that breaks a rule fails the synthesis: the pack does look."""
    cdk_app = aws_cdk.App(context={"settings": str(no_settings)}, outdir=str(tmp_path))
    app.build(cdk_app, read_settings(cdk_app.node, PROJECT))
    sqs.Queue(aws_cdk.Stack(cdk_app, "Careless"), "Queue")
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        cdk_app.synth()


def test_cfn_lint_finds_nothing(
    production: Path, development: Path, guarded: Path, told: Path
) -> None:
    """The templates are what CloudFormation accepts, also with what is off by default."""
    folders = (production, development, guarded, told)
    files = [str(path) for folder in folders for path in folder.glob("*.json")]
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--regions", "us-east-1"]
    # W3005: CDK writes that a function depends on its role, which is named in it anyway.
    command += ["--ignore-checks", "W3005"]
    linted = [path for path in files if path.endswith(".template.json")]
    done = subprocess.run([*command, "--", *linted], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_real_cli_synthesizes_without_an_account(tmp_path: Path, csr: Path) -> None:
    """`cdk synth` works with no credentials and no region, from the context of the command."""
    environment = {name: value for name, value in os.environ.items() if "AWS" not in name}
    context = f"--context=bridges={json.dumps({'host-1': str(csr)})}"
    cdk(environment, "synth", "--quiet", f"--output={tmp_path}", context)
    assert "LoraIdentity-host-1.template.json" in templates(tmp_path)


def test_a_mistake_in_the_context_is_one_line(tmp_path: Path) -> None:
    """The command line shows the mistake, not a traceback."""
    with pytest.raises(CdkError) as caught:
        cdk(os.environ, "synth", f"--output={tmp_path}/out", "--context=environment=prod")
    assert "context environment: 'prod' is not production or development" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_mistake_in_a_codec_fails_with_its_line(tmp_path: Path) -> None:
    """What is wrong with a codec is said at synth, with the line of the mapping."""
    (tmp_path / "broken.js").write_text("function decodeUplink( {")
    (tmp_path / "codecs.toml").write_text('\n\n[[codec]]\nfile = "broken.js"\n')
    with pytest.raises(CdkError) as caught:
        cdk(os.environ, "synth", f"--output={tmp_path}/out", f"--context=codecs={tmp_path}")
    assert f"settings: codecs: {tmp_path}/codecs.toml:3: broken.js: exception" in str(caught.value)
    assert "Traceback" not in str(caught.value)
