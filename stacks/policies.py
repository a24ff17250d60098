"""What each kind of identity may do on AWS IoT, and nothing else."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from contract.deployment import Deployment
from contract.names import CHECK_APPLICATION, IdentityKind, ingest_topic
from stacks.settings import Identity


def identity_policy(
    stack: Stack, deployment: Deployment, identity: Identity, client_id: str, rule: str
) -> iam.PolicyDocument:
    """Return the AWS IoT policy for an identity that connects as ``client_id``."""
    match identity.kind:
        case IdentityKind.BRIDGE:
            ingesting = rule if identity.basic_ingest else None
            return bridge_policy(stack, deployment, client_id, identity.applications, ingesting)
        case IdentityKind.CONSUMER:
            return consumer_policy(stack, deployment, client_id)


def bridge_policy(
    stack: Stack,
    deployment: Deployment,
    client_id: str,
    applications: Sequence[str],
    rule: str | None,
) -> iam.PolicyDocument:
    """Connect as ``client_id`` or a numbered ``client_id.N``; publish uplinks, but no readings.

    Those may be of these ``applications`` only, or of all if none is named. If there is a ``rule``,
    they may go to it alone, too. It may also hear the test uplink that ``lora-bridge check`` makes.
    A ``*`` in the policy also stands for slashes.
    """
    check = deployment.uplink_topic(f"{CHECK_APPLICATION}/{client_id}")
    topics = [deployment.uplink_topic(f"{each}/*") for each in applications]
    topics = [*topics, check, f"{check}/*"] if topics else [deployment.uplink_topic("*/*")]
    if rule:
        topics += [ingest_topic(rule, each) for each in topics]
    return iam.PolicyDocument(
        statements=[
            _allow("iot:Connect", *_clients(stack, client_id)),
            _allow("iot:Publish", *(_arn(stack, "topic", each) for each in topics)),
            _allow("iot:Subscribe", _arn(stack, "topicfilter", check)),
            _allow("iot:Receive", _arn(stack, "topic", check)),
            _deny("iot:Publish", _arn(stack, "topic", deployment.decoded_topic("*/*"))),
        ]
    )


def consumer_policy(stack: Stack, deployment: Deployment, client_id: str) -> iam.PolicyDocument:
    """Connect as ``client_id`` or a numbered ``client_id.N``; hear what is under the root.

    The connections may share a subscription, ``$share/GROUP/lora/…``. A policy names its filter
    whole, and the topic of what it brings either alone or in the same way: AWS's own examples
    allow both (aws-iot-device-sdk-python-v2, mqtt5_shared_subscription). As a ``*`` also stands for
    slashes, what is denied keeps GROUP to one level, so that no other root is heard.
    """
    root = deployment.topic_root
    below, shared = f"{root}/*", f"$share/*/{root}/*"
    return iam.PolicyDocument(
        statements=[
            _allow("iot:Connect", *_clients(stack, client_id)),
            _allow(
                "iot:Subscribe",
                _arn(stack, "topicfilter", below),
                _arn(stack, "topicfilter", shared),
            ),
            _allow("iot:Receive", _arn(stack, "topic", below), _arn(stack, "topic", shared)),
            _deny("iot:Subscribe", _arn(stack, "topicfilter", f"$share/*/*/{root}/*")),
        ]
    )


def _clients(stack: Stack, client_id: str) -> tuple[str, str]:
    """Return the ARNs of all client IDs of an identity."""
    return _arn(stack, "client", client_id), _arn(stack, "client", f"{client_id}.*")


def _allow(action: str, *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[action], resources=list(resources))


def _deny(action: str, *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(effect=iam.Effect.DENY, actions=[action], resources=list(resources))


def _arn(stack: Stack, resource: str, name: str) -> str:
    return stack.format_arn(service="iot", resource=resource, resource_name=name)
