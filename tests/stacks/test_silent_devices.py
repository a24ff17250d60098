"""Whoever wants to be told of silent devices is, by a function that may do next to nothing."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from aws_cdk.assertions import Match, Template

from contract.deployment import UNNAMED
from lab.aws.libraries import copy_libraries
from stacks.settings import Silence
from stacks.silence_code import pack
from tests.stacks.conftest import KEY, TOPIC, Synthesize, template

FUNCTION = "AWS::Lambda::Function"
_OF_LAMBDA = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"}
_OPTIONAL = {"_awscrt.abi3.so", "awscrt", "certifi", "typing_extensions.py"}


@pytest.fixture(scope="session")
def watching(told: Path) -> Template:
    """Return the template of a store that tells of silent devices."""
    return template(told, UNNAMED.store_stack)


def test_nobody_watches_unless_asked(store: Template) -> None:
    """Neither function nor clock is there by default."""
    store.resource_count_is(FUNCTION, 1)
    store.resource_count_is("AWS::Events::Rule", 0)


def test_it_runs_every_five_minutes_and_one_at_a_time(watching: Template) -> None:
    """A run ends before the next begins, and one that fails is not repeated."""
    watching.has_resource_properties(
        "AWS::Events::Rule",
        {
            "ScheduleExpression": "rate(5 minutes)",
            "State": "ENABLED",
            "Targets": [Match.object_like({"RetryPolicy": {"MaximumRetryAttempts": 0}})],
        },
    )
    watching.has_resource_properties(
        FUNCTION,
        {
            "Handler": "silence.handler.handle",
            "Architectures": ["arm64"],
            "Timeout": 270,
            "LoggingConfig": Match.object_like({"LogFormat": "JSON", "SystemLogLevel": "WARN"}),
        },
    )
    watching.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig",
        {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 300},
    )


def test_it_is_told_where_everything_is(watching: Template, synthesize: Synthesize) -> None:
    """Its environment names the tables, the topic, and the deployment where that has a name."""
    variables = {
        "ALARM_TOPIC": TOPIC,
        "TABLE": Match.any_value(),
        "DEVICES_TABLE": Match.any_value(),
    }
    watching.has_resource_properties(
        FUNCTION, {"Environment": {"Variables": {**variables, "DEPLOYMENT": Match.absent()}}}
    )
    asked: dict[str, object] = {
        "deployment": "staging",
        "alarm_topic": TOPIC,
        "silent_devices": True,
        "environment": "development",
    }
    staging = template(synthesize(asked), "Lora-staging-Store")
    staging.has_resource_properties(
        FUNCTION, {"Environment": {"Variables": {**variables, "DEPLOYMENT": "staging"}}}
    )


def test_it_may_do_nothing_else(watching: Template) -> None:
    """It reads both tables, marks devices, tells one topic, writes metrics of one namespace."""
    (role,) = [
        each["Properties"]
        for name, each in watching.find_resources("AWS::IAM::Role").items()
        if name.startswith("Silence")
    ]
    statements = [
        each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]
    ]
    assert [each["Action"] for each in statements[:-1]] == [
        "dynamodb:Query",
        ["dynamodb:Query", "dynamodb:UpdateItem"],
        "sns:Publish",
        "cloudwatch:PutMetricData",
        ["logs:CreateLogStream", "logs:PutLogEvents"],
    ]
    assert statements[2]["Resource"] == TOPIC
    assert statements[3]["Condition"] == {"StringEquals": {"cloudwatch:namespace": "lora-bridge"}}
    assert statements[-1]["Resource"] == KEY
    resources = [json.dumps(each["Resource"]) for each in statements if "Condition" not in each]
    assert not [each for each in resources if "*" in each]
    assert "ManagedPolicyArns" not in role
    watching.resource_count_is("AWS::IAM::Policy", 0)


def test_the_file_of_intervals_is_stated_by_what_is_in_it(told: Path) -> None:
    """So that check can tell whether what is deployed is what is on file."""
    outputs = json.loads((told / "LoraStore.template.json").read_text())["Outputs"]
    stated = json.loads(outputs["Settings"]["Value"])
    assert stated["silent_devices"] is True
    assert len(stated["intervals"]) == 16


def test_the_package_holds_all_that_the_function_imports(tmp_path: Path) -> None:
    """With the package alone, and what Lambda itself has, the function starts."""
    intervals = tmp_path / "mine.toml"
    intervals.write_text('[[interval]]\nevery = "1h"\n')
    libraries = copy_libraries(tmp_path / "libraries")
    packed = tmp_path / "packed"
    packed.mkdir()
    pack(Silence(TOPIC, intervals, libraries), packed)
    code = """
import json, sys
import silence.handler
assert silence.handler.intervals.entries
print(json.dumps([module.__file__ for module in list(sys.modules.values())
                  if getattr(module, "__file__", None)]))
"""
    of_this_machine = Path(sysconfig.get_path("purelib"))
    done = subprocess.run(
        # -S: an editable installation of this project would find what the package lacks.
        [sys.executable, "-P", "-S", "-c", code],
        env={
            "PATH": os.environ["PATH"],
            "AWS_DEFAULT_REGION": "us-east-1",
            "TABLE": "t",
            "DEVICES_TABLE": "d",
            "ALARM_TOPIC": TOPIC,
            "PYTHONPATH": f"{packed}:{of_this_machine}",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    files = [Path(each) for each in json.loads(done.stdout)]
    assert packed / "silence" / "judging.py" in files
    beside = {
        each.relative_to(of_this_machine).parts[0]
        for each in files
        if of_this_machine in each.parents
    }
    assert beside <= _OF_LAMBDA | _OPTIONAL
    assert sorted(path.name for path in packed.iterdir()) == [
        *("contract", "intervals.toml", "msgspec", "silence")
    ]
    modes = {path.stat().st_mode & 0o777 for path in packed.rglob("*") if path.is_file()}
    assert modes == {0o644}


def test_each_function_has_its_own_package(told: Path) -> None:
    """The decoder does not carry the other along."""
    names = {
        frozenset(path.name for path in asset.iterdir() if path.name in {"decoder", "silence"})
        for asset in told.glob("asset.*")
        if asset.is_dir()
    }
    assert names == {frozenset({"decoder"}), frozenset({"silence"})}
