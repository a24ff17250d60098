"""The DynamoDB table that keeps every uplink."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from bridge.names import EXPIRY_ATTRIBUTE, PARTITION_KEY, SORT_KEY


class UplinkTable(Construct):
    """One row an uplink, by device and time; ``retained`` rows survive their stack."""

    def __init__(
        self, scope: Construct, construct_id: str, *, retained: bool, expiring: bool
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=_text(PARTITION_KEY),
            sort_key=_text(SORT_KEY),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=retained,
            removal_policy=RemovalPolicy.RETAIN if retained else RemovalPolicy.DESTROY,
            time_to_live_attribute=EXPIRY_ATTRIBUTE if expiring else None,
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
