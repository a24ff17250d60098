"""What the store is called where it is deployed: its stack tells."""

from console.check.chain import NotTriedError
from console.deployment import stack_outputs
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import (
    ERROR_QUEUE_OUTPUT,
    EVENT_RULE_OUTPUT,
    RULE_OUTPUT,
    TABLE_OUTPUT,
)


def rule(deployment: Deployment) -> str:
    """Return the name of the rule; this and the others raise NotTriedError where it is unseen."""
    return _deployed(deployment, RULE_OUTPUT)


def event_rule(deployment: Deployment) -> str:
    """Return the name of the rule that stores events."""
    return _deployed(deployment, EVENT_RULE_OUTPUT)


def table(deployment: Deployment) -> str:
    """Return the name of the table of uplinks."""
    return _deployed(deployment, TABLE_OUTPUT)


def error_queue(deployment: Deployment) -> str:
    """Return the URL of the queue of what the rule could not store."""
    return _deployed(deployment, ERROR_QUEUE_OUTPUT)


def _deployed(deployment: Deployment, output: str) -> str:
    try:
        (name,) = stack_outputs(deployment.store_stack, output)
    except BridgeError as error:
        raise NotTriedError(str(error)) from None
    return name
