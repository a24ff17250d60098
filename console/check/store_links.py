"""The links that AWS itself can tell about: the store, from its rule to its table."""

from collections.abc import Iterator

from console.check import deployed
from console.check.account import Account
from console.check.chain import BrokenError, Link, NotTriedError
from console.deployment import NotDeployedError, stack_outputs
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import RULE_OUTPUT, TABLE_OUTPUT


def store_links(account: Account, deployment: Deployment) -> Iterator[Link]:
    """Yield the links of what stores rows."""
    yield "rule", lambda: account.rule(deployed.rule(deployment))
    yield "table", lambda: account.table(deployed.table(deployment))
    yield "role", lambda: account.role(deployed.rule(deployment), deployed.table(deployment))
    yield "event rule", lambda: account.rule(deployed.event_rule(deployment))


def links_without_a_bridge(deployment: Deployment) -> Iterator[Link]:
    """Yield the links that can be looked at from anywhere, by the SDK's own settings."""
    yield "stack", lambda: _stack(deployment)
    yield from store_links(Account(""), deployment)


def _stack(deployment: Deployment) -> str:
    try:
        stack_outputs(deployment.store_stack, TABLE_OUTPUT, RULE_OUTPUT)
    except NotDeployedError as error:
        raise BrokenError(error.reason, error.remedy) from None
    except BridgeError as error:
        raise NotTriedError(str(error)) from None
    return f"{deployment.store_stack} is deployed"
