"""Tells consumers, who may listen, from bridges."""

from console.deployment import stack_outputs
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import KIND_OUTPUT, IdentityKind


def require_consumer(deployment: Deployment, name: str) -> None:
    """Ask the stack of an identity whether it is a consumer.

    Raises:
        BridgeError: it is a bridge, it is not deployed, or AWS does not answer.

    """
    (kind,) = stack_outputs(deployment.identity_stack(name), KIND_OUTPUT)
    if kind != IdentityKind.CONSUMER:
        raise BridgeError(
            f"{name} is a {kind}, which may not listen: name a consumer, or deploy one with the"
            " setting consumers"
        )
