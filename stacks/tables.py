"""The DynamoDB tables: every uplink, and every device that ever sent one."""

from typing import TypedDict

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from contract.device_list import KIND_KEY
from contract.names import EXPIRY_ATTRIBUTE, PARTITION_KEY, SORT_KEY
from stacks.encryption import Encryption
from stacks.keeping import Keeping


class UplinkTable(Construct):
    """One row an uplink, by device and time.

    New rows go down its stream, with those that they replace: a pair of bridges stores twice.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        keeping: Keeping,
        encryption: Encryption,
        *,
        expiring: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=_text(PARTITION_KEY),
            sort_key=_text(SORT_KEY),
            time_to_live_attribute=EXPIRY_ATTRIBUTE if expiring else None,
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            **_kept(keeping),
        )
        encryption.encrypt(self.table)


class DeviceTable(Construct):
    """One item a device, in a few partitions: as many queries list them, whatever they have sent.

    Each is written every few hours at most.
    """

    def __init__(
        self, scope: Construct, construct_id: str, keeping: Keeping, encryption: Encryption
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=_text(KIND_KEY),
            sort_key=_text(PARTITION_KEY),
            **_kept(keeping),
        )
        encryption.encrypt(self.table)


class _Kept(TypedDict):
    billing: dynamodb.Billing
    encryption: dynamodb.TableEncryptionV2
    point_in_time_recovery_specification: dynamodb.PointInTimeRecoverySpecification
    deletion_protection: bool
    removal_policy: RemovalPolicy


def _kept(keeping: Keeping) -> _Kept:
    """Return what both tables have in common."""
    return _Kept(
        billing=dynamodb.Billing.on_demand(),
        encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=keeping.protected,
        removal_policy=keeping.removal_policy,
    )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
