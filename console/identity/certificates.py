"""The certificates that are deployed for an identity: one, or two while it changes."""

from collections.abc import Mapping
from dataclasses import dataclass

import boto3
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from console.deployment import aws_errors, stack_outputs
from console.identity.key_pair import belong_together
from contract.deployment import Deployment
from contract.names import CERTIFICATES_OUTPUT, KIND_OUTPUT, IdentityKind


@dataclass(frozen=True)
class Deployed:
    """What kind of identity it is, and its certificates: ID → PEM."""

    kind: IdentityKind
    certificates: Mapping[str, str]

    def certificate_of(self, key: PrivateKeyTypes) -> str | None:
        """Return the certificate (PEM) that belongs to a key, None if there is none."""
        for pem in self.certificates.values():
            if belong_together(key, x509.load_pem_x509_certificate(pem.encode())):
                return pem
        return None


def deployed(deployment: Deployment, name: str) -> Deployed:
    """Return what is deployed for an identity.

    Raises:
        BridgeError: it is not deployed, or AWS does not answer.

    """
    stack = deployment.identity_stack(name)
    kind, ids = stack_outputs(stack, KIND_OUTPUT, CERTIFICATES_OUTPUT)
    with aws_errors():
        client = boto3.client("iot")
        described = [client.describe_certificate(certificateId=each) for each in ids.split(",")]
    found = [each["certificateDescription"] for each in described]
    return Deployed(
        IdentityKind(kind), {each["certificateId"]: each["certificatePem"] for each in found}
    )
