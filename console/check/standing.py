"""What a certificate is beside those that are deployed, and so what to do when it lets nobody in.

A certificate is deployed as long as ``lora.toml`` names its CSR. Afterwards it is retired: AWS IoT
has deleted it, or made it inactive where it could not.
"""

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from console.deployment import stack_outputs
from console.identity.certificates import Deployed, deployed
from console.identity.key_files import Pairs
from console.identity.key_pair import private_key
from console.parameters import identity_arguments
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import CERTIFICATES_OUTPUT

DEPLOY = "bring it back as it was declared: npx cdk deploy --all --revert-drift"
ACTIVE = "ACTIVE"


class Standing(Enum):
    """What a certificate is beside those that the identity's stack has."""

    DEPLOYED = auto()  # one of them
    REISSUED = auto()  # its key has another of them
    SWITCHABLE = auto()  # the next key, beside its own, has one of them
    RETIRED = auto()  # they are of other keys
    UNKNOWN = auto()  # there is no such stack, or it may not be seen


_OF_REPLACED = {
    Standing.REISSUED: "it was replaced, fetch its key's new one: lora-bridge enroll {where}",
    Standing.SWITCHABLE: "it was replaced, use the next pair: lora-bridge rotate switch {where}",
    Standing.RETIRED: (
        "its CSR is no longer named: name {name}.csr in lora.toml, deploy, and run"
        " lora-bridge enroll {where}"
    ),
}
_OF_MISSING = {
    Standing.DEPLOYED: f"{DEPLOY}, and fetch it: lora-bridge enroll {{where}}",
    Standing.UNKNOWN: (
        "see that endpoint in the configuration is this account's, and run"
        " lora-bridge enroll {where}"
    ),
}
_OF_STATUS = {
    ACTIVE: DEPLOY,  # without a policy
    "REVOKED": "its key is not to be trusted, change it: lora-bridge rotate begin {where}",
}
_ACTIVATE = (
    "activate it: aws iot update-certificate --new-status ACTIVE --certificate-id {certificate_id}"
)


@dataclass(frozen=True)
class Owner:
    """The identity whose certificate it is, and its key beside which others may be."""

    deployment: Deployment
    name: str
    key: Path

    @property
    def thing(self) -> str:
        """The thing that the certificate is to be attached to."""
        return self.deployment.thing(self.name)


def standing(certificate_id: str, owner: Owner) -> Standing:
    """Return the standing of a certificate."""
    try:
        stack = owner.deployment.identity_stack(owner.name)
        (ids,) = stack_outputs(stack, CERTIFICATES_OUTPUT)
        if certificate_id in ids.split(","):
            return Standing.DEPLOYED
        found = deployed(owner.deployment, owner.name)
    except BridgeError:
        return Standing.UNKNOWN
    if _has_one(found, owner.key):
        return Standing.REISSUED
    next_key = Pairs(owner.name, owner.key.parent).next_key
    return Standing.SWITCHABLE if _has_one(found, next_key) else Standing.RETIRED


def _has_one(found: Deployed, key: Path) -> bool:
    with suppress(OSError, BridgeError):
        return found.certificate_of(private_key(key)) is not None
    return False


def remedy(found: Standing, status: str | None, certificate_id: str, owner: Owner) -> str:
    """Return what to do about a certificate of this status in AWS IoT; None is not there."""
    text = _OF_REPLACED.get(found) or (
        _OF_MISSING[found] if status is None else _OF_STATUS.get(status, _ACTIVATE)
    )
    where = identity_arguments(owner.name, owner.key.parent, owner.deployment)
    return text.format(where=where, name=owner.name, certificate_id=certificate_id)
