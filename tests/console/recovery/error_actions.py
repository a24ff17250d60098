"""Messages as an AWS IoT error action sends them (AWS IoT Developer Guide)."""

import base64
import json

REASON = "One or more parameter values were invalid: Missing the key timestamp in the item"


def error_action(topic: str, payload: bytes, reason: str = REASON) -> str:
    """Return the body for a payload that DynamoDB did not take, for this reason."""
    said = (
        f"Dynamo DBv2 Put record failed. The error received was {reason}"
        " (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ValidationException)."
        f" Message arrived on: {topic}, Action: dynamoDBv2, Table: uplinks"
    )
    return json.dumps(
        {
            "ruleName": "StoringRule",
            "topic": topic,
            "cloudwatchTraceId": "7e146a2c-95b5-6caf-98b9-50e3969734c7",
            "clientId": "network-host-1",
            "base64OriginalPayload": base64.b64encode(payload).decode(),
            "failures": [
                {
                    "failedAction": "DynamoDBv2Action",
                    "failedResource": "uplinks",
                    "errorMessage": said,
                }
            ],
        }
    )
