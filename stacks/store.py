"""The store: the stack that keeps data, and outlives every machine."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from bridge.names import ERROR_QUEUE_OUTPUT, STORE_STACK, TABLE_OUTPUT
from stacks.error_queue import ErrorQueue
from stacks.settings import Environment, Settings
from stacks.uplink_rule import UplinkRule
from stacks.uplink_table import UplinkTable


class StoreStack(Stack):
    """Rule → table, and error queue. Nothing of it is deleted in production."""

    def __init__(self, scope: Construct, settings: Settings) -> None:
        retained = settings.environment is Environment.PRODUCTION
        super().__init__(
            scope,
            STORE_STACK,
            description="LoRaWAN uplinks: AWS IoT rule, DynamoDB table, error queue",
            termination_protection=retained,
        )
        uplinks = UplinkTable(
            self, "Uplinks", retained=retained, expiring=settings.retention_days is not None
        )
        errors = ErrorQueue(self, "Errors", retained=retained)
        UplinkRule(
            self,
            "Storing",
            table=uplinks.table,
            errors=errors.queue,
            retention_days=settings.retention_days,
        )
        CfnOutput(self, TABLE_OUTPUT, value=uplinks.table.table_name)
        CfnOutput(self, ERROR_QUEUE_OUTPUT, value=errors.queue.queue_url)
