"""An identity: one stack for each bridge or consumer, deployed and removed on its own."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iot as iot
from constructs import Construct

from bridge.names import CERTIFICATE_OUTPUT, KIND_OUTPUT, identity_stack
from stacks.policies import identity_policy
from stacks.settings import Identity


class IdentityStack(Stack):
    """Thing, certificate and policy, attached to each other."""

    def __init__(self, scope: Construct, identity: Identity) -> None:
        super().__init__(
            scope,
            identity_stack(identity.name),
            description=f"LoRaWAN {identity.kind} {identity.name}: thing, certificate, policy",
        )
        # AWS IoT shows a connection under the thing whose name is its client ID, so the thing
        # bears the operator's name for the machine.
        thing = iot.CfnThing(self, "Thing", thing_name=identity.name)
        certificate = iot.CfnCertificate(
            self, "Certificate", status="ACTIVE", certificate_signing_request=identity.csr
        )
        policy = iot.CfnPolicy(
            self, "Policy", policy_document=identity_policy(self, identity.kind, thing.ref)
        )
        iot.CfnThingPrincipalAttachment(
            self, "ThingAttachment", thing_name=thing.ref, principal=certificate.attr_arn
        )
        iot.CfnPolicyPrincipalAttachment(
            self, "PolicyAttachment", policy_name=policy.ref, principal=certificate.attr_arn
        )
        CfnOutput(self, KIND_OUTPUT, value=identity.kind)
        CfnOutput(self, CERTIFICATE_OUTPUT, value=certificate.ref)
