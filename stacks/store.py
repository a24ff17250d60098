"""The store: the stack that keeps data, and outlives every machine."""

import json

from aws_cdk import Annotations, CfnOutput, Stack
from constructs import Construct

from contract.names import (
    DECODER_OUTPUT,
    DEVICES_OUTPUT,
    ERROR_QUEUE_OUTPUT,
    EVENT_RULE_OUTPUT,
    FAILURE_QUEUE_OUTPUT,
    NO_RETENTION,
    RETENTION_OUTPUT,
    RULE_OUTPUT,
    SETTINGS_OUTPUT,
    TABLE_OUTPUT,
)
from contract.settings import Environment
from stacks.alarms import Alarms
from stacks.dashboard import Dashboard
from stacks.decoder import Backing, Decoder
from stacks.encryption import Encryption
from stacks.event_metrics import EventMetrics
from stacks.failure_queue import FailureQueue
from stacks.keeping import Keeping
from stacks.metrics import Watched
from stacks.settings import Settings
from stacks.silent_devices import SilentDevices
from stacks.storing_rules import StoringRules
from stacks.tables import DeviceTable, UplinkTable


class StoreStack(Stack):
    """Rules → table → decoder, the queues where failures end, and what watches all of it.

    No data of it is deleted in production.
    """

    def __init__(self, scope: Construct, settings: Settings) -> None:
        production = settings.environment is Environment.PRODUCTION
        keeping = Keeping(retained=production, protected=settings.protected)
        super().__init__(
            scope,
            settings.deployment.store_stack,
            description="LoRaWAN uplinks: AWS IoT rules, DynamoDB tables, decoder, queues, alarms",
            termination_protection=keeping.protected,
        )
        if production and not keeping.protected:
            Annotations.of(self).add_info(
                "Anybody with the rights can delete this stack and its tables. When it is deployed,"
                " set 'protected' to true and deploy it again."
            )
        encryption = Encryption(self, "Encryption", settings.kms_key)
        expiring = settings.retention_days is not None
        uplinks = UplinkTable(self, "Uplinks", keeping, encryption, expiring=expiring).table
        devices = DeviceTable(self, "Devices", keeping, encryption).table
        errors = FailureQueue(self, "Errors", keeping, encryption).queue
        rules = StoringRules(
            self,
            "Storing",
            settings.deployment,
            table=uplinks,
            errors=errors,
            encryption=encryption,
            retention_days=settings.retention_days,
        )
        self.rule_name = rules.uplinks.ref
        failures = FailureQueue(self, "Undecoded", keeping, encryption).queue
        backing = Backing(settings.deployment, uplinks, devices, failures, encryption)
        decoder = Decoder(self, "Decoding", settings.decoding, backing).function
        if settings.silence is not None:
            SilentDevices(self, "Silence", settings.silence, backing)
        watched = Watched(
            rule=rules.uplinks.ref,
            event_rule=rules.events.ref,
            events=EventMetrics(self, "Counting", settings.deployment).namespace,
            uplinks=uplinks.table_name,
            decoder=decoder.function_name,
            errors=errors.queue_name,
            undecoded=failures.queue_name,
            silence=settings.silence is not None,
        )
        # What is tried out is silent for days, and broken on purpose; and the local AWS refuses
        # alarms that are queries.
        alarms = (
            Alarms(self, "Watching", settings.deployment, watched, settings.watching).all
            if production
            else []
        )
        Dashboard(self, "Seeing", watched, alarms)
        CfnOutput(self, RULE_OUTPUT, value=rules.uplinks.ref)
        CfnOutput(self, EVENT_RULE_OUTPUT, value=rules.events.ref)
        CfnOutput(self, TABLE_OUTPUT, value=uplinks.table_name)
        CfnOutput(self, DEVICES_OUTPUT, value=devices.table_name)
        CfnOutput(self, DECODER_OUTPUT, value=decoder.function_name)
        CfnOutput(self, ERROR_QUEUE_OUTPUT, value=errors.queue_url)
        CfnOutput(self, FAILURE_QUEUE_OUTPUT, value=failures.queue_url)
        CfnOutput(self, RETENTION_OUTPUT, value=str(settings.retention_days or NO_RETENTION))
        CfnOutput(self, SETTINGS_OUTPUT, value=json.dumps(settings.stated))
