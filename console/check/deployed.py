"""What the store is called where it is deployed: its stack tells."""

from console.check.chain import NotTriedError
from console.deployment import stack_outputs
from contract.errors import BridgeError
from contract.names import ERROR_QUEUE_OUTPUT, RULE_OUTPUT, STORE_STACK, TABLE_OUTPUT


def rule() -> str:
    """Return the name of the rule; this and the others raise NotTriedError where it is unseen."""
    return _deployed(RULE_OUTPUT)


def table() -> str:
    """Return the name of the table of uplinks."""
    return _deployed(TABLE_OUTPUT)


def error_queue() -> str:
    """Return the URL of the queue of what the rule could not store."""
    return _deployed(ERROR_QUEUE_OUTPUT)


def _deployed(output: str) -> str:
    try:
        (name,) = stack_outputs(STORE_STACK, output)
    except BridgeError as error:
        raise NotTriedError(str(error)) from None
    return name
