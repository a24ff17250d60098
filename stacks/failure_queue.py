"""A queue for what could not be done."""

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.encryption import Encryption
from stacks.keeping import Keeping


class FailureQueue(Construct):
    """An encrypted queue that refuses plain HTTP and keeps messages as long as SQS can."""

    def __init__(
        self, scope: Construct, construct_id: str, keeping: Keeping, encryption: Encryption
    ) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=encryption.of_queues,
            encryption_master_key=encryption.key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=keeping.removal_policy,
        )
        Validations.of(self.queue).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SQS3",
                reason="This queue is itself where failures end; nothing consumes it unattended.",
            )
        )
