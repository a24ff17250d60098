"""What a test looks up in AWS, to break it and to mend it."""

from typing import TYPE_CHECKING

from console.deployment import stack_outputs
from contract.deployment import UNNAMED
from contract.names import CERTIFICATES_OUTPUT

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient
    from mypy_boto3_iot.type_defs import TopicRulePayloadTypeDef, TopicRuleTypeDef


def arn_of(iot: "IoTClient", name: str) -> tuple[str, str]:
    """Return the ID and ARN of an identity's certificate."""
    (found,) = stack_outputs(UNNAMED.identity_stack(name), CERTIFICATES_OUTPUT)
    return found, iot.describe_certificate(certificateId=found)["certificateDescription"][
        "certificateArn"
    ]


def payload_of(rule: "TopicRuleTypeDef") -> "TopicRulePayloadTypeDef":
    """Return what a rule is made of."""
    return {
        "sql": rule["sql"],
        "awsIotSqlVersion": rule["awsIotSqlVersion"],
        "actions": rule["actions"],
        "errorAction": rule["errorAction"],
    }
