"""An identity may do what its kind does, under its own name, and nothing else."""

from pathlib import Path

from aws_cdk.assertions import Template

from console.identity.keygen import make_key_and_csr
from tests.stacks.conftest import Synthesize, template

ARN = ["arn:", {"Ref": "AWS::Partition"}, ":iot:", {"Ref": "AWS::Region"}, ":"]
ACCOUNT = {"Ref": "AWS::AccountId"}


def arn(*rest: object) -> dict[str, object]:
    """Return an ARN of AWS IoT as a template has it."""
    return {"Fn::Join": ["", [*ARN, ACCOUNT, *rest]]}


CLIENT = arn(":client/", {"Ref": "Thing"})
NUMBERED_CLIENTS = arn(":client/", {"Ref": "Thing"}, ".*")


def statements(template: Template) -> dict[tuple[str, str], object]:
    """Return what the one policy of a template says: effect and action → resources, in order."""
    (policy,) = template.find_resources("AWS::IoT::Policy").values()
    found = policy["Properties"]["PolicyDocument"]["Statement"]
    return {(each["Effect"], each["Action"]): in_order(each["Resource"]) for each in found}


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
        ("Allow", "iot:Receive"): arn(":topic/lora/check/", {"Ref": "Thing"}),
    }


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
    allowed = statements(template(folder, "LoraIdentity-host-1"))["Allow", "iot:Publish"]
    ingest = ":topic/$aws/rules/"
    assert allowed == in_order(
        [
            arn(":topic/lora/meters/*"),
            arn(":topic/lora/check/", {"Ref": "Thing"}),
            arn(":topic/lora/check/", {"Ref": "Thing"}, "/*"),
            arn(ingest, rule, "/lora/meters/*"),
            arn(ingest, rule, "/lora/check/", {"Ref": "Thing"}),
            arn(ingest, rule, "/lora/check/", {"Ref": "Thing"}, "/*"),
        ]
    )
    other = statements(template(folder, "LoraIdentity-host-2"))["Allow", "iot:Publish"]
    assert other == arn(":topic/lora/*/*")


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
    """Thing and policy are both attached to the certificate, which no other thing may have."""
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
    bridge.has_resource_properties(
        "AWS::IoT::PolicyPrincipalAttachment",
        {"PolicyName": {"Ref": "Policy"}, "Principal": certificate},
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
    assert len(old) == len(new) == 5  # thing, policy, certificate, two attachments
    assert len(both) == 8


def resources(template: Template) -> dict[str, object]:
    """Return the resources of a template by their logical IDs."""
    found: dict[str, object] = template.to_json()["Resources"]
    return {name: each for name, each in found.items() if name != "CDKMetadata"}


def test_policy_fits_the_limit_of_aws_iot(bridge: Template, consumer: Template) -> None:
    """With the longest names the policy document stays below 2,048 characters."""
    longest = {"Ref": "x" * 64}
    for each in (bridge, consumer):
        (policy,) = each.find_resources("AWS::IoT::Policy").values()
        text = str(policy["Properties"]["PolicyDocument"]).replace("{'Ref': 'Thing'}", str(longest))
        assert len(text) < 2048
