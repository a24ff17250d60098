"""What becomes of data when its stack goes, or does not come to be."""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy


@dataclass(frozen=True)
class Keeping:
    """``retained`` data survives its stack; what is ``protected`` refuses to be deleted at all.

    Retention begins when the deployment that makes a table or queue has succeeded: what a failed
    one made is empty, and is deleted when CloudFormation rolls it back (``RetainExceptOnCreate``).
    Nothing may be protected by then: the protection would refuse that deletion, and the deletion of
    the failed stack, which the CDK's command line does before its next try.
    """

    retained: bool
    protected: bool

    @property
    def removal_policy(self) -> RemovalPolicy:
        """Return the policy of a table or a queue."""
        if self.retained:
            return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        return RemovalPolicy.DESTROY
