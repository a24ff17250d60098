"""What each kind of identity may do on AWS IoT, and nothing else."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from contract.names import CHECK_APPLICATION, TOPIC_ROOT, IdentityKind, decoded_topic, ingest_topic
from stacks.settings import Identity


def identity_policy(
    stack: Stack, identity: Identity, client_id: str, rule: str
) -> iam.PolicyDocument:
    """Return the AWS IoT policy for an identity that connects as ``client_id``."""
    match identity.kind:
        case IdentityKind.BRIDGE:
            ingesting = rule if identity.basic_ingest else None
            return bridge_policy(stack, client_id, identity.applications, ingesting)
        case IdentityKind.CONSUMER:
            return consumer_policy(stack, client_id)


def bridge_policy(
    stack: Stack, client_id: str, applications: Sequence[str], rule: str | None
) -> iam.PolicyDocument:
    """Connect as ``client_id`` or a numbered ``client_id.N``; publish uplinks, but no readings.

    Those may be of these ``applications`` only, or of all if none is named. If there is a ``rule``,
    they may go to it alone, too. It may also hear the test uplink that ``lora-bridge check`` makes.
    A ``*`` in the policy also stands for slashes.
    """
    check = f"{TOPIC_ROOT}/{CHECK_APPLICATION}/{client_id}"
    topics = [f"{TOPIC_ROOT}/{each}/*" for each in applications]
    topics = [*topics, check, f"{check}/*"] if topics else [f"{TOPIC_ROOT}/*/*"]
    if rule:
        topics += [ingest_topic(rule, each) for each in topics]
    clients = [_arn(stack, "client", client_id), _arn(stack, "client", f"{client_id}.*")]
    return iam.PolicyDocument(
        statements=[
            _allow("iot:Connect", *clients),
            _allow("iot:Publish", *(_arn(stack, "topic", each) for each in topics)),
            _allow("iot:Subscribe", _arn(stack, "topicfilter", check)),
            _allow("iot:Receive", _arn(stack, "topic", check)),
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=["iot:Publish"],
                resources=[_arn(stack, "topic", decoded_topic("*/*"))],
            ),
        ]
    )


def consumer_policy(stack: Stack, client_id: str) -> iam.PolicyDocument:
    """Connect as ``client_id``; subscribe to and receive what is under ``lora/``."""
    return iam.PolicyDocument(
        statements=[
            _allow("iot:Connect", _arn(stack, "client", client_id)),
            _allow("iot:Subscribe", _arn(stack, "topicfilter", f"{TOPIC_ROOT}/*")),
            _allow("iot:Receive", _arn(stack, "topic", f"{TOPIC_ROOT}/*")),
        ]
    )


def _allow(action: str, *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[action], resources=list(resources))


def _arn(stack: Stack, resource: str, name: str) -> str:
    return stack.format_arn(service="iot", resource=resource, resource_name=name)
