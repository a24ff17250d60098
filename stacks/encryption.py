"""What encrypts data at rest: keys of AWS, or one key of the operator's own."""

from typing import cast

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_WRITING_A_TABLE = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""What DynamoDB does with the key in the name of who writes (DynamoDB Developer Guide, "Authorizing
use of your customer managed key"). Reading a stream takes a part of it."""

_SENDING_TO_A_QUEUE = ("kms:Decrypt", "kms:GenerateDataKey")
"""(SQS Developer Guide, "Configuring AWS KMS permissions".)"""


class Encryption(Construct):
    """The operator's key by its ARN, or none: then keys of AWS encrypt, and need no rights."""

    def __init__(self, scope: Construct, construct_id: str, key_arn: str | None) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key.from_key_arn(self, "Key", key_arn) if key_arn else None

    @property
    def of_queues(self) -> sqs.QueueEncryption:
        """Return what encrypts a queue."""
        return sqs.QueueEncryption.KMS if self.key else sqs.QueueEncryption.SQS_MANAGED

    def encrypt(self, table: dynamodb.TableV2) -> None:
        """Let the key encrypt ``table``, which has one of AWS, and its stream.

        It is put into the template: ``TableV2`` takes it in a stack for one region only.
        """
        if self.key:
            declared = cast("dynamodb.CfnGlobalTable", table.node.default_child)
            declared.add_property_override(
                "Replicas.0.SSESpecification", {"KMSMasterKeyId": self.key.key_arn}
            )

    def writing_tables(self) -> list[iam.PolicyStatement]:
        """Return the rights that a role needs beside those to write to tables and read streams."""
        return self._rights(_WRITING_A_TABLE)

    def sending_to_queues(self) -> list[iam.PolicyStatement]:
        """Return the rights that a role needs beside that to send to queues."""
        return self._rights(_SENDING_TO_A_QUEUE)

    def _rights(self, actions: tuple[str, ...]) -> list[iam.PolicyStatement]:
        if not self.key:
            return []
        return [iam.PolicyStatement(actions=list(actions), resources=[self.key.key_arn])]
