"""An identity may do what its kind does, under its own name, and nothing else."""

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from console.identity.keygen import make_key_and_csr
from contract.deployment import UNNAMED
from contract.names import EventType
from tests.stacks.conftest import Synthesize, template

ARN = ["arn:", {"Ref": "AWS::Partition"}, ":iot:", {"Ref": "AWS::Region"}, ":"]
ACCOUNT = {"Ref": "AWS::AccountId"}


def arn(*rest: object) -> dict[str, object]:
    """Return an ARN of AWS IoT as a template has it."""
    return {"Fn::Join": ["", [*ARN, ACCOUNT, *rest]]}


CLIENT = arn(":client/", {"Ref": "Thing"})
NUMBERED_CLIENTS = arn(":client/", {"Ref": "Thing"}, ".*")


def statements(template: Template, policy: str = "Policy") -> dict[tuple[str, str], object]:
    """Return what a policy of a template says: effect and action → resources, in order."""
    found = documents(template)[policy]["Statement"]
    return {(each["Effect"], each["Action"]): in_order(each["Resource"]) for each in found}


def documents(template: Template) -> dict[str, Any]:
    """Return the policies of a template by their names."""
    found = template.find_resources("AWS::IoT::Policy")
    return {name: each["Properties"]["PolicyDocument"] for name, each in found.items()}


def in_order(resources: object) -> object:
    """Return resources sorted, if there are several: the CDK has an order of its own."""
    return sorted(resources, key=str) if isinstance(resources, list) else resources


def test_bridge_connects_as_itself_and_publishes_uplinks(bridge: Template) -> None:
    """A bridge connects under its name, plain or numbered, and publishes uplinks under lora/."""
    assert statements(bridge) == {
        ("Allow", "iot:Connect"): in_order([NUMBERED_CLIENTS, CLIENT]),
        ("Allow", "iot:Publish"): arn(":topic/lora/*/*"),
        ("Deny", "iot:Publish"): arn(":topic/lora/*/*/decoded"),
        ("Allow", "iot:Subscribe"): arn(":topicfilter/lora/check/", {"Ref": "Thing"}),
        ("Allow", "iot:Receive"): in_order(
            [
                arn(":topic/lora/check/", {"Ref": "Thing"}),
                arn(":topic/lora/check/", {"Ref": "Thing"}, "/down"),
            ]
        ),
    }


def test_a_bridge_takes_requests_and_makes_none(bridge: Template) -> None:
    """It subscribes to the requests of all devices, alone or shared, and hears nothing else."""
    assert statements(bridge, "Downlinks") == {
        ("Allow", "iot:Subscribe"): in_order(
            [
                arn(":topicfilter/lora/+/+/down"),
                arn(":topicfilter/$share/*/lora/+/+/down"),
            ]
        ),
        ("Deny", "iot:Subscribe"): arn(":topicfilter/$share/*/*/lora/+/+/down"),
        ("Allow", "iot:Receive"): in_order(
            [arn(":topic/lora/*/*/down"), arn(":topic/$share/*/lora/*/*/down")]
        ),
        ("Allow", "iot:Publish"): arn(":topic/lora/bridge/", {"Ref": "Thing"}, "/event/gap"),
        ("Deny", "iot:Publish"): arn(":topic/lora/*/*/down"),
    }


@pytest.mark.parametrize("kind", EventType)
def test_what_a_bridge_may_not_publish_is_no_event(kind: EventType) -> None:
    """A `*` also stands for slashes: no topic of an event is like one of a request."""
    topic = UNNAMED.event_topic("a/d", kind)
    assert not fnmatchcase(topic, UNNAMED.request_topic("*/*"))
    assert not fnmatchcase(topic, UNNAMED.decoded_topic("*/*"))


def test_a_consumer_sends_when_it_is_named(synthesize: Synthesize, csr: Path) -> None:
    """It may ask for downlinks to its applications, or to all; the others to none."""
    context: dict[str, object] = {
        "consumers": {"valves": str(csr), "all": str(csr), "reader": str(csr)},
        "senders": {"valves": ["37817737F13"], "all": []},
    }
    folder = synthesize(context)
    valves, everything, reader = (
        template(folder, UNNAMED.identity_stack(name)) for name in ("valves", "all", "reader")
    )
    asking = ("Allow", "iot:Publish")
    assert statements(valves, "Sending") == {asking: arn(":topic/lora/37817737f13/*/down")}
    assert statements(everything, "Sending") == {asking: arn(":topic/lora/*/*/down")}
    assert documents(valves)["Policy"] == documents(reader)["Policy"]
    assert list(documents(reader)) == ["Policy"]


def test_a_bridge_may_be_tied_to_its_applications(synthesize: Synthesize, csr: Path) -> None:
    """It publishes for those, and the test uplink of its own; hexadecimal is in small letters."""
    context = {
        "bridges": {"network-host-1": str(csr)},
        "applications": {"network-host-1": ["37817737F13", "meters"]},
    }
    tied = template(synthesize(context), "LoraIdentity-network-host-1")
    assert statements(tied)["Allow", "iot:Publish"] == in_order(
        [
            arn(":topic/lora/37817737f13/*"),
            arn(":topic/lora/check/", {"Ref": "Thing"}, "/*"),
            arn(":topic/lora/check/", {"Ref": "Thing"}),
            arn(":topic/lora/meters/*"),
        ]
    )
    assert statements(tied, "Downlinks")["Allow", "iot:Receive"] == in_order(
        [
            arn(f":topic/{group}lora/{application}/*/down")
            for group in ("", "$share/*/")
            for application in ("37817737f13", "meters")
        ]
    )


def test_a_bridge_may_publish_to_the_rule_alone(synthesize: Synthesize, csr: Path) -> None:
    """With Basic Ingest its uplinks may go there, too; the rule is the store's, by its output."""
    context: dict[str, object] = {
        "bridges": {"host-1": str(csr), "host-2": str(csr)},
        "basic_ingest": '["host-1"]',
        "applications": {"host-1": ["meters"]},
    }
    folder = synthesize(context)
    outputs = template(folder, "LoraStore").find_outputs("*")
    (output,) = [name for name in outputs if "StoringRule" in name]
    of_store = {"StackName": "LoraStore", "Region": {"Ref": "AWS::Region"}, "OutputName": output}
    rule = {"Fn::GetStackOutput": of_store}
    allowed = statements(template(folder, "LoraIdentity-host-1"), "Ingest")["Allow", "iot:Publish"]
    ingest = ":topic/$aws/rules/"
    assert allowed == in_order(
        [
            arn(ingest, rule, "/lora/meters/*"),
            arn(ingest, rule, "/lora/check/", {"Ref": "Thing"}),
            arn(ingest, rule, "/lora/check/", {"Ref": "Thing"}, "/*"),
        ]
    )
    assert "Ingest" not in documents(template(folder, "LoraIdentity-host-2"))


def test_consumer_connects_as_itself_and_listens(consumer: Template) -> None:
    """A consumer connects under its name, plain or numbered, and hears lora/ alone, also shared."""
    assert statements(consumer) == {
        ("Allow", "iot:Connect"): in_order([CLIENT, NUMBERED_CLIENTS]),
        ("Allow", "iot:Subscribe"): in_order(
            [
                arn(":topicfilter/lora/*"),
                arn(":topicfilter/$share/*/lora/*"),
            ]
        ),
        ("Allow", "iot:Receive"): in_order([arn(":topic/lora/*"), arn(":topic/$share/*/lora/*")]),
        ("Deny", "iot:Subscribe"): arn(":topicfilter/$share/*/*/lora/*"),
    }


def test_certificate_comes_from_the_request_and_is_active(bridge: Template, csr: Path) -> None:
    """The certificate is made from the CSR, so the key never travels, and needs no activation."""
    bridge.has_resource_properties(
        "AWS::IoT::Certificate",
        {"Status": "ACTIVE", "CertificateSigningRequest": csr.read_text()},
    )


def test_everything_is_attached(bridge: Template) -> None:
    """Thing and policies are attached to the certificate, which no other thing may have."""
    (name,) = bridge.find_resources("AWS::IoT::Certificate")
    certificate = {"Fn::GetAtt": [name, "Arn"]}
    bridge.has_resource_properties(
        "AWS::IoT::ThingPrincipalAttachment",
        {
            "ThingName": {"Ref": "Thing"},
            "Principal": certificate,
            "ThingPrincipalType": "EXCLUSIVE_THING",
        },
    )
    for policy in documents(bridge):
        bridge.has_resource_properties(
            "AWS::IoT::PolicyPrincipalAttachment",
            {"PolicyName": {"Ref": policy}, "Principal": certificate},
        )
    bridge.has_resource_properties("AWS::IoT::Thing", {"ThingName": "host-1"})


def test_one_certificate_stays_when_another_comes_or_goes(
    synthesize: Synthesize, tmp_path: Path
) -> None:
    """With two CSRs both certificates are attached; each is what it is with its CSR alone."""
    csrs = [str(make_key_and_csr("host-1", tmp_path / each)[1]) for each in ("old", "new")]
    given: tuple[str | list[str], ...] = (csrs[0], csrs, csrs[::-1], [csrs[1]])
    old, both, turned, new = (
        resources(template(synthesize({"bridges": {"host-1": csr}}), "LoraIdentity-host-1"))
        for csr in given
    )
    assert both == turned == old | new
    assert len(old) == len(new) == 7  # thing, two policies, certificate, three attachments
    assert len(both) == 11


def resources(template: Template) -> dict[str, object]:
    """Return the resources of a template by their logical IDs."""
    found: dict[str, object] = template.to_json()["Resources"]
    return {name: each for name, each in found.items() if name != "CDKMetadata"}


def test_policies_fit_the_limit_of_aws_iot(synthesize: Synthesize, csr: Path) -> None:
    """With the longest names, and five applications, each has 2,048 characters at most."""
    euis = [f"{number:016x}" for number in range(5)]
    bridge, sender = "b" * 55, "c" * 55
    folder = synthesize(
        {
            "deployment": "staging1",
            "bridges": {bridge: str(csr)},
            "applications": {bridge: euis},
            "basic_ingest": [bridge],
            "consumers": {sender: str(csr)},
            "senders": {sender: euis},
        }
    )
    lengths = {
        name: len(json.dumps(resolved(document), separators=(",", ":")))
        for identity in (bridge, sender)
        for name, document in documents(
            template(folder, f"Lora-staging1-Identity-{identity}")
        ).items()
    }
    assert lengths.keys() == {"Policy", "Downlinks", "Ingest", "Sending"}
    assert max(lengths.values()) <= 2048, lengths


_LONG = {
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-southeast-1",
    "AWS::AccountId": "123456789012",
    "Thing": "x" * 64,
}


def resolved(value: object) -> object:
    """Return what AWS IoT gets of a policy document, with long names."""
    match value:
        case {"Fn::Join": ["", list(parts)]}:
            return "".join(str(resolved(each)) for each in parts)
        case {"Ref": str(name)}:
            return _LONG[name]
        case {"Fn::GetStackOutput": _}:
            return "Lora_staging1_Store_StoringRule1A2B3C4D_AbCdEfGhIjKl"
        case dict():
            return {key: resolved(each) for key, each in value.items()}
        case list():
            return [resolved(each) for each in value]
        case _:
            return value
