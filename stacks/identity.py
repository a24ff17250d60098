"""An identity: one stack for each bridge or consumer, deployed and removed on its own."""

import hashlib

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iot as iot
from constructs import Construct

from contract.names import CERTIFICATES_OUTPUT, KIND_OUTPUT, identity_stack
from stacks.policies import identity_policy
from stacks.settings import Identity


class IdentityStack(Stack):
    """Thing, certificates and policy, attached to each other.

    ``rule`` is the store's: a bridge with Basic Ingest may publish to it.
    """

    def __init__(self, scope: Construct, identity: Identity, rule: str) -> None:
        super().__init__(
            scope,
            identity_stack(identity.name),
            description=f"LoRaWAN {identity.kind} {identity.name}: thing, certificate, policy",
        )
        # AWS IoT shows a connection under the thing whose name is its client ID, so the thing
        # bears the operator's name for the machine.
        thing = iot.CfnThing(self, "Thing", thing_name=identity.name)
        policy = iot.CfnPolicy(
            self, "Policy", policy_document=identity_policy(self, identity, thing.ref, rule)
        )
        certificates = [self._certificate(csr, thing, policy) for csr in identity.csrs]
        CfnOutput(self, KIND_OUTPUT, value=identity.kind)
        CfnOutput(self, CERTIFICATES_OUTPUT, value=",".join(each.ref for each in certificates))

    def _certificate(
        self, csr: str, thing: iot.CfnThing, policy: iot.CfnPolicy
    ) -> iot.CfnCertificate:
        """Declare the certificate of a CSR, named for it: one stays when the other goes."""
        which = hashlib.sha256(csr.encode()).hexdigest()[:8]
        certificate = iot.CfnCertificate(
            self, f"Certificate{which}", status="ACTIVE", certificate_signing_request=csr
        )
        iot.CfnThingPrincipalAttachment(
            self, f"ThingAttachment{which}", thing_name=thing.ref, principal=certificate.attr_arn
        )
        iot.CfnPolicyPrincipalAttachment(
            self, f"PolicyAttachment{which}", policy_name=policy.ref, principal=certificate.attr_arn
        )
        return certificate
