"""The decoder: fed by the stream, allowed next to nothing, packed with all it needs."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from lab.aws.libraries import copy_libraries
from stacks.decoder_code import pack
from stacks.settings import Decoding
from tests.stacks.conftest import template

_OF_LAMBDA = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"}
_OPTIONAL = {"_awscrt.abi3.so", "awscrt", "certifi", "typing_extensions.py"}
"""What botocore and msgspec import where it is there."""
Synthesize = Callable[[dict[str, object]], Path]


def test_the_stream_feeds_it(store: Template) -> None:
    """It is tried until the stream forgets, and stopped by no other batch of its shard."""
    store.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "BatchSize": 100,
            "BisectBatchOnFunctionError": True,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "MaximumBatchingWindowInSeconds": 1,
            "MaximumRecordAgeInSeconds": 23 * 3600,
            "MaximumRetryAttempts": -1,
            "ParallelizationFactor": 10,
            "StartingPosition": "TRIM_HORIZON",
        },
    )
    store.has_resource_properties(
        "AWS::DynamoDB::GlobalTable",
        {"StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"}},
    )


def test_it_gets_neither_its_own_writing_nor_events(store: Template) -> None:
    """The filter looks at scalars below ``dynamodb`` alone: rows that are there and not decoded."""
    (mapping,) = store.find_resources("AWS::Lambda::EventSourceMapping").values()
    (one,) = mapping["Properties"]["FilterCriteria"]["Filters"]
    image = {
        "device": {"S": [{"exists": True}]},
        "decoded_by": {"S": [{"exists": False}]},
        "type": {"S": [{"exists": False}]},
    }
    assert json.loads(one["Pattern"]) == {"dynamodb": {"NewImage": image}}


def test_uplinks_gather_for_as_long_as_asked(synthesize: Synthesize) -> None:
    """Lambda waits for more uplinks for decode_within seconds, or not at all."""
    for seconds in (0, 300):
        gathering = template(synthesize({"decode_within": seconds}), "LoraStore")
        gathering.has_resource_properties(
            "AWS::Lambda::EventSourceMapping", {"MaximumBatchingWindowInSeconds": seconds}
        )


def test_lambda_logs_no_line_for_each_call(store: Template) -> None:
    """Of Lambda's own lines only those of something wrong are kept."""
    store.has_resource_properties(
        "AWS::Lambda::Function",
        {"LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "WARN"}},
    )


def rights(template: Template) -> dict[str, set[str]]:
    """Return what the decoder's role may do: resource → actions."""
    functions = template.find_resources("AWS::Lambda::Function")
    (function,) = functions.values()
    role = function["Properties"]["Role"]["Fn::GetAtt"][0]
    resources = template.to_json()["Resources"]
    found: dict[str, set[str]] = {}
    statements: list[Any] = [
        statement
        for policy in resources[role]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    for each in statements:
        assert each["Effect"] == "Allow"
        actions = each["Action"] if isinstance(each["Action"], list) else [each["Action"]]
        found[json.dumps(each["Resource"])] = set(actions)
    attached = template.find_resources("AWS::IAM::Policy")
    assert not [each for each in attached.values() if {"Ref": role} in each["Properties"]["Roles"]]
    assert "ManagedPolicyArns" not in resources[role]["Properties"]
    return found


def test_it_may_do_nothing_else(store: Template) -> None:
    """The role reads the stream, updates rows, lists devices, logs and reports failures."""
    assert sorted(map(sorted, rights(store).values())) == [
        [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ],
        ["dynamodb:GetItem", "dynamodb:UpdateItem"],
        ["dynamodb:UpdateItem"],
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["sqs:SendMessage"],
    ]
    assert '"*"' not in json.dumps(list(rights(store)))


def test_only_lambda_of_this_account_assumes_its_role(store: Template) -> None:
    """The trust names the account, and the ARNs of its functions where Lambda sends one."""
    functions = ["arn:", {"Ref": "AWS::Partition"}, ":lambda:", {"Ref": "AWS::Region"}, ":"]
    functions += [{"Ref": "AWS::AccountId"}, ":*"]
    statement = {
        "Action": "sts:AssumeRole",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Condition": {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
            "ArnLikeIfExists": {"aws:SourceArn": {"Fn::Join": ["", functions]}},
        },
    }
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    store.has_resource_properties("AWS::IAM::Role", {"AssumeRolePolicyDocument": trust})


def test_readings_are_published_when_asked(synthesize: Synthesize) -> None:
    """With publish_decoded, and only then, it may publish: readings, and nothing the rule takes."""
    published = rights(template(synthesize({"publish_decoded": "true"}), "LoraStore"))
    (resource,) = [each for each, actions in published.items() if actions == {"iot:Publish"}]
    assert json.loads(resource)["Fn::Join"][1][-1] == ":topic/lora/*/*/decoded"


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """Pack the decoder with the libraries of this machine and a codec beside others."""
    codecs = tmp_path / "codecs"
    codecs.mkdir()
    (codecs / "codecs.toml").write_text('[[codec]]\nfile = "used.js"\n')
    (codecs / "used.js").write_text("function Decode() { return {}; }")
    (codecs / "unused.js").write_text("not JavaScript")
    folder = tmp_path / "packed"
    libraries = copy_libraries(tmp_path / "libraries")
    pack(Decoding(codecs, libraries, published=False, within=0), folder)
    return folder


def test_the_package_holds_all_that_the_function_imports(packed: Path, tmp_path: Path) -> None:
    """With the package alone, and what Lambda itself has, the function starts."""
    code = """
import json, sys
import decoder.handler
print(json.dumps([module.__file__ for module in list(sys.modules.values())
                  if getattr(module, "__file__", None)]))
"""
    libraries = Path(sysconfig.get_path("purelib"))
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_DEFAULT_REGION": "us-east-1",
        "TABLE": "t",
        "DEVICES_TABLE": "d",
        "PYTHONPATH": f"{packed}:{libraries}",
    }
    done = subprocess.run(
        # -S: an editable installation of this project would find what the package lacks.
        [sys.executable, "-P", "-S", "-c", code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    files = [Path(each) for each in json.loads(done.stdout)]
    assert packed / "codec" / "engine.py" in files
    beside = {each.relative_to(libraries).parts[0] for each in files if libraries in each.parents}
    assert beside <= _OF_LAMBDA | _OPTIONAL


def test_lambda_may_read_the_package(tmp_path: Path) -> None:
    """Whatever the umask of who deploys, all of the package can be read by others."""
    codecs, libraries = tmp_path / "codecs", tmp_path / "libraries"
    before = os.umask(0o077)
    try:
        codecs.mkdir()
        (codecs / "codecs.toml").touch()
        copy_libraries(libraries)
        pack(Decoding(codecs, libraries, published=False, within=0), tmp_path / "packed")
    finally:
        os.umask(before)
    packed = tmp_path / "packed"
    for path in (packed, *packed.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


def test_only_codecs_in_use_are_packed(packed: Path) -> None:
    """What the mapping does not name stays at home."""
    assert sorted(path.name for path in (packed / "codecs").iterdir()) == ["codecs.toml", "used.js"]


def test_the_libraries_are_those_of_the_function(production: Path) -> None:
    """Compiled modules are for the architecture and the Python that the template names."""
    (function,) = template(production, "LoraStore").find_resources("AWS::Lambda::Function").values()
    assert function["Properties"]["Architectures"] == ["arm64"]
    version = function["Properties"]["Runtime"].removeprefix("python").replace(".", "")
    (asset,) = production.glob("asset.*")
    compiled = list(asset.rglob("*.so"))
    assert {path.name for path in compiled} == {
        f"_core.cpython-{version}-aarch64-linux-gnu.so",
        "_quickjs.abi3.so",
        f"_binding.cpython-{version}-aarch64-linux-gnu.so",  # of tree_sitter
        "_binding.abi3.so",  # of tree_sitter_javascript
    }
    for path in compiled:
        assert path.read_bytes()[18] == 0xB7, path  # EM_AARCH64 in the ELF header
