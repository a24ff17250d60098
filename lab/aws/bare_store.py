"""A deployment's tables alone, without CDK: a second in place of a minute.

What looks at stored uplinks cannot tell it from a whole store: it has the names, the keys and the
outputs of the stack.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import boto3

from contract.deployment import Deployment
from contract.device_list import KIND_KEY
from contract.names import DEVICES_OUTPUT, PARTITION_KEY, SORT_KEY, TABLE_OUTPUT
from lab.aws.filling import Item, store_uplinks


@dataclass(frozen=True)
class BareStore:
    """The tables of a deployment, in the AWS that this process's environment leads to."""

    deployment: Deployment

    @property
    def uplinks(self) -> str:
        """Name of the table of uplinks."""
        return f"{self.deployment.store_stack}-uplinks"

    @property
    def devices(self) -> str:
        """Name of the table of devices."""
        return f"{self.deployment.store_stack}-devices"

    def deploy(self) -> None:
        """Make the stack."""
        client = boto3.client("cloudformation")
        template = {
            "Resources": {
                "Uplinks": _table(self.uplinks, PARTITION_KEY, SORT_KEY),
                "Devices": _table(self.devices, KIND_KEY, PARTITION_KEY),
            },
            "Outputs": {
                TABLE_OUTPUT: {"Value": self.uplinks},
                DEVICES_OUTPUT: {"Value": self.devices},
            },
        }
        name = self.deployment.store_stack
        client.create_stack(StackName=name, TemplateBody=json.dumps(template))
        waiter = client.get_waiter("stack_create_complete")
        waiter.wait(StackName=name, WaiterConfig={"Delay": 1})

    def destroy(self) -> None:
        """Delete the stack with all that is stored."""
        client = boto3.client("cloudformation")
        client.delete_stack(StackName=self.deployment.store_stack)
        waiter = client.get_waiter("stack_delete_complete")
        waiter.wait(StackName=self.deployment.store_stack, WaiterConfig={"Delay": 1})

    def put(self, items: Iterable[Item]) -> None:
        """Store uplinks, and list their devices."""
        store_uplinks((self.uplinks, self.devices), items)


def _table(name: str, *keys: str) -> dict[str, object]:
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
            "KeySchema": [
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
            ],
        },
    }
