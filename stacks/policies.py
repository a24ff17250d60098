"""What each kind of identity may do on AWS IoT, and nothing else.

AWS IoT takes policy documents of at most 2,048 characters, and ten of them for a certificate: so
there is one for each purpose. A ``*`` in them also stands for slashes.
"""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from contract.deployment import Deployment
from contract.names import (
    BRIDGE_APPLICATION,
    CHECK_APPLICATION,
    EventType,
    IdentityKind,
    ingest_topic,
)
from stacks.settings import Identity

_ALL = ("*",)


def identity_policies(
    stack: Stack, deployment: Deployment, identity: Identity, client_id: str, rule: str
) -> dict[str, iam.PolicyDocument]:
    """Return the AWS IoT policies for an identity that connects as ``client_id``, by a name."""
    applications = identity.applications
    match identity.kind:
        case IdentityKind.BRIDGE:
            policies = {
                "Policy": bridge_policy(stack, deployment, client_id, applications),
                "Downlinks": downlinks_policy(stack, deployment, client_id, applications),
            }
            if identity.basic_ingest:
                topics = _uplinks(deployment, client_id, applications)
                to_rule = [ingest_topic(rule, each) for each in topics]
                policies["Ingest"] = iam.PolicyDocument(
                    statements=[_allow("iot:Publish", *_topics(stack, to_rule))]
                )
        case IdentityKind.CONSUMER:
            policies = {"Policy": consumer_policy(stack, deployment, client_id)}
            if identity.sends_to is not None:
                requests = _requests(deployment, identity.sends_to)
                policies["Sending"] = iam.PolicyDocument(
                    statements=[_allow("iot:Publish", *_topics(stack, requests))]
                )
    return policies


def bridge_policy(
    stack: Stack, deployment: Deployment, client_id: str, applications: Sequence[str]
) -> iam.PolicyDocument:
    """Connect as ``client_id`` or ``client_id.…``; publish uplinks and events, but no readings.

    Those may be of these ``applications`` only, or of all if none is named. It may also hear the
    test uplink and the test downlink that ``lora-bridge check`` makes.
    """
    itself = f"{CHECK_APPLICATION}/{client_id}"
    check = deployment.uplink_topic(itself)
    uplinks = _uplinks(deployment, client_id, applications)
    return iam.PolicyDocument(
        statements=[
            _allow("iot:Connect", *_clients(stack, client_id)),
            _allow("iot:Publish", *_topics(stack, uplinks)),
            _allow("iot:Subscribe", _arn(stack, "topicfilter", check)),
            _allow("iot:Receive", *_topics(stack, [check, deployment.request_topic(itself)])),
            _deny("iot:Publish", _arn(stack, "topic", deployment.decoded_topic("*/*"))),
        ]
    )


def downlinks_policy(
    stack: Stack, deployment: Deployment, client_id: str, applications: Sequence[str]
) -> iam.PolicyDocument:
    """Take requests for downlinks, alone or shared, and make none; tell of gaps.

    The one subscription is for all devices. Only requests for the bridge's ``applications`` come by
    it, or all if none is named.
    """
    gaps = deployment.event_topic(f"{BRIDGE_APPLICATION}/{client_id}", EventType.GAP)
    wanted = deployment.request_topic("+/+")
    requests = _requests(deployment, applications)
    shared = [_shared(each) for each in requests]
    return iam.PolicyDocument(
        statements=[
            _allow("iot:Subscribe", *_filters(stack, [wanted, _shared(wanted)])),
            _deny("iot:Subscribe", *_filters(stack, [_shared(f"*/{wanted}")])),
            _allow("iot:Receive", *_topics(stack, [*requests, *shared])),
            _allow("iot:Publish", *_topics(stack, [gaps])),
            _deny("iot:Publish", *_topics(stack, _requests(deployment, ()))),
        ]
    )


def consumer_policy(stack: Stack, deployment: Deployment, client_id: str) -> iam.PolicyDocument:
    """Connect as ``client_id`` or a numbered ``client_id.N``; hear what is under the root.

    The connections may share a subscription, ``$share/GROUP/lora/…``. A policy names its filter
    whole, and the topic of what it brings either alone or in the same way: AWS's own examples
    allow both (aws-iot-device-sdk-python-v2, mqtt5_shared_subscription). As a ``*`` also stands for
    slashes, what is denied keeps GROUP to one level, so that no other root is heard.
    """
    below = deployment.uplink_topic("*")
    heard = [below, _shared(below)]
    return iam.PolicyDocument(
        statements=[
            _allow("iot:Connect", *_clients(stack, client_id)),
            _allow("iot:Subscribe", *_filters(stack, heard)),
            _allow("iot:Receive", *_topics(stack, heard)),
            _deny("iot:Subscribe", *_filters(stack, [_shared(f"*/{below}")])),
        ]
    )


def _uplinks(deployment: Deployment, client_id: str, applications: Sequence[str]) -> list[str]:
    """Return the topics of what a bridge may tell of devices, and of its own test uplink."""
    if not applications:
        return [deployment.uplink_topic("*/*")]
    check = deployment.uplink_topic(f"{CHECK_APPLICATION}/{client_id}")
    return [*(deployment.uplink_topic(f"{each}/*") for each in applications), check, f"{check}/*"]


def _requests(deployment: Deployment, applications: Sequence[str]) -> list[str]:
    """Return the topics of requests for devices of these applications, of all if none is named."""
    return [deployment.request_topic(f"{each}/*") for each in applications or _ALL]


def _shared(topic_filter: str) -> str:
    """Return a filter as it is shared in whatever group."""
    return f"$share/*/{topic_filter}"


def _clients(stack: Stack, client_id: str) -> tuple[str, str]:
    """Return the ARNs of all client IDs of an identity."""
    return _arn(stack, "client", client_id), _arn(stack, "client", f"{client_id}.*")


def _topics(stack: Stack, topics: Sequence[str]) -> list[str]:
    return [_arn(stack, "topic", each) for each in topics]


def _filters(stack: Stack, filters: Sequence[str]) -> list[str]:
    return [_arn(stack, "topicfilter", each) for each in filters]


def _allow(action: str, *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[action], resources=list(resources))


def _deny(action: str, *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(effect=iam.Effect.DENY, actions=[action], resources=list(resources))


def _arn(stack: Stack, resource: str, name: str) -> str:
    return stack.format_arn(service="iot", resource=resource, resource_name=name)
