"""An identity: one stack for each bridge or consumer, deployed and removed on its own."""

import json
from collections.abc import Mapping

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iot as iot
from constructs import Construct

from contract.deployment import Deployment
from contract.names import CERTIFICATES_OUTPUT, KIND_OUTPUT, SETTINGS_OUTPUT
from contract.settings import csr_digest, stated_by_identity
from stacks.policies import identity_policies
from stacks.settings import Identity


class IdentityStack(Stack):
    """Thing, certificates and policies, attached to each other.

    ``rule`` is the store's: a bridge with Basic Ingest may publish to it.
    """

    def __init__(
        self, scope: Construct, deployment: Deployment, identity: Identity, rule: str
    ) -> None:
        super().__init__(
            scope,
            deployment.identity_stack(identity.name),
            description=f"LoRaWAN {identity.kind} {identity.name}: thing, certificate, policies",
        )
        # AWS IoT shows a connection under the thing whose name is its client ID, so the thing
        # bears the operator's name for the machine.
        thing = iot.CfnThing(self, "Thing", thing_name=deployment.thing(identity.name))
        documents = identity_policies(self, deployment, identity, thing.ref, rule)
        policies = {
            name: iot.CfnPolicy(self, name, policy_document=document)
            for name, document in documents.items()
        }
        certificates = [self._certificate(csr, thing, policies) for csr in identity.csrs]
        CfnOutput(self, KIND_OUTPUT, value=identity.kind)
        CfnOutput(self, CERTIFICATES_OUTPUT, value=",".join(each.ref for each in certificates))
        stated = stated_by_identity(
            *(identity.kind, identity.name, identity.csrs, identity.applications),
            basic_ingest=identity.basic_ingest,
            sends_to=identity.sends_to,
        )
        CfnOutput(self, SETTINGS_OUTPUT, value=json.dumps(stated))

    def _certificate(
        self, csr: str, thing: iot.CfnThing, policies: Mapping[str, iot.CfnPolicy]
    ) -> iot.CfnCertificate:
        """Declare the certificate of a CSR, named for it: one stays when the other goes."""
        which = csr_digest(csr)
        certificate = iot.CfnCertificate(
            self, f"Certificate{which}", status="ACTIVE", certificate_signing_request=csr
        )
        iot.CfnThingPrincipalAttachment(
            self,
            f"ThingAttachment{which}",
            thing_name=thing.ref,
            principal=certificate.attr_arn,
            # AWS IoT then knows the thing behind a numbered client ID, too. It binds the
            # certificate to one thing, not the thing to one certificate: there may be two.
            thing_principal_type="EXCLUSIVE_THING",
        )
        for name, policy in policies.items():
            iot.CfnPolicyPrincipalAttachment(
                self,
                f"{name}Attachment{which}",
                policy_name=policy.ref,
                principal=certificate.attr_arn,
            )
        return certificate
