"""The store: the stack that keeps data, and outlives every machine."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from contract.names import (
    DECODER_OUTPUT,
    DEVICES_OUTPUT,
    ERROR_QUEUE_OUTPUT,
    FAILURE_QUEUE_OUTPUT,
    NO_RETENTION,
    RETENTION_OUTPUT,
    RULE_OUTPUT,
    STORE_STACK,
    TABLE_OUTPUT,
)
from stacks.alarms import Alarms
from stacks.dashboard import Dashboard
from stacks.decoder import Backing, Decoder
from stacks.failure_queue import FailureQueue
from stacks.metrics import Watched
from stacks.settings import Environment, Settings
from stacks.tables import DeviceTable, UplinkTable
from stacks.uplink_rule import UplinkRule


class StoreStack(Stack):
    """Rule → table → decoder, the queues where failures end, and what watches all of it.

    No data of it is deleted in production.
    """

    def __init__(self, scope: Construct, settings: Settings) -> None:
        retained = settings.environment is Environment.PRODUCTION
        super().__init__(
            scope,
            STORE_STACK,
            description="LoRaWAN uplinks: AWS IoT rule, DynamoDB tables, decoder, queues, alarms",
            termination_protection=retained,
        )
        expiring = settings.retention_days is not None
        uplinks = UplinkTable(self, "Uplinks", retained=retained, expiring=expiring).table
        devices = DeviceTable(self, "Devices", retained=retained).table
        errors = FailureQueue(self, "Errors", retained=retained).queue
        rule = UplinkRule(
            self, "Storing", table=uplinks, errors=errors, retention_days=settings.retention_days
        ).rule
        self.rule_name = rule.ref
        # Always: else this would drop it before the last bridge that imports it has let it go.
        self.export_value(rule.ref)
        failures = FailureQueue(self, "Undecoded", retained=retained).queue
        backing = Backing(uplinks, devices, failures)
        decoder = Decoder(self, "Decoding", settings.decoding, backing).function
        watched = Watched(
            rule=rule.ref,
            uplinks=uplinks.table_name,
            decoder=decoder.function_name,
            errors=errors.queue_name,
            undecoded=failures.queue_name,
        )
        # What is tried out is silent for days, and broken on purpose; and the local AWS refuses
        # alarms that are queries.
        alarms = Alarms(self, "Watching", watched, settings.watching).all if retained else []
        Dashboard(self, "Seeing", watched, alarms)
        CfnOutput(self, RULE_OUTPUT, value=rule.ref)
        CfnOutput(self, TABLE_OUTPUT, value=uplinks.table_name)
        CfnOutput(self, DEVICES_OUTPUT, value=devices.table_name)
        CfnOutput(self, DECODER_OUTPUT, value=decoder.function_name)
        CfnOutput(self, ERROR_QUEUE_OUTPUT, value=errors.queue_url)
        CfnOutput(self, FAILURE_QUEUE_OUTPUT, value=failures.queue_url)
        CfnOutput(self, RETENTION_OUTPUT, value=str(settings.retention_days or NO_RETENTION))
