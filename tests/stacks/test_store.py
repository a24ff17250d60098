"""The store keeps every uplink, and lets nobody else write."""

from typing import Any

from aws_cdk.assertions import Match, Template

TABLE = "AWS::DynamoDB::GlobalTable"
QUEUE = "AWS::SQS::Queue"
ROLE = "AWS::IAM::Role"


def test_table_is_keyed_by_device_and_time(store: Template) -> None:
    """Partition key `device` and sort key `timestamp`, both strings."""
    store.has_resource_properties(
        TABLE,
        {
            "KeySchema": [
                {"AttributeName": "device", "KeyType": "HASH"},
                {"AttributeName": "timestamp", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": "device", "AttributeType": "S"},
                {"AttributeName": "timestamp", "AttributeType": "S"},
            ],
            "BillingMode": "PAY_PER_REQUEST",
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        },
    )


def test_production_data_outlives_everything(store: Template) -> None:
    """Unless told otherwise, table and queue are retained and the table is protected."""
    table_and_queue_are(store, "Retain", protected=True)


def test_devices_are_listed_in_one_partition(store: Template) -> None:
    """The table of devices is keyed by kind and device, so that a query finds all of them."""
    store.has_resource_properties(
        TABLE,
        {
            "KeySchema": [
                {"AttributeName": "kind", "KeyType": "HASH"},
                {"AttributeName": "device", "KeyType": "RANGE"},
            ],
            "BillingMode": "PAY_PER_REQUEST",
        },
    )


def test_development_data_goes_with_its_stack(development_store: Template) -> None:
    """In development, destroying the stack removes all of it; recovery stays on."""
    table_and_queue_are(development_store, "Delete", protected=False)


def table_and_queue_are(template: Template, policy: str, *, protected: bool) -> None:
    """Check what happens to the data when its stack goes; recovery is on in any case."""
    replica = {
        "DeletionProtectionEnabled": protected,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    template.all_resources(
        TABLE,
        {
            "DeletionPolicy": policy,
            "UpdateReplacePolicy": policy,
            "Properties": {"Replicas": [Match.object_like(replica)]},
        },
    )
    template.all_resources(QUEUE, {"DeletionPolicy": policy})


def test_rows_are_kept_for_ever_by_default(store: Template) -> None:
    """Without retention_days nothing expires, and the rule writes no expiry."""
    store.has_resource_properties(TABLE, {"TimeToLiveSpecification": Match.absent()})
    rule_selects(store, "SELECT *, (topic(2) + '/') + topic(3) AS device FROM 'lora/+/+'")
    store.has_output("RetentionDays", {"Value": "none"})


def test_retention_days_expire_rows(development_store: Template) -> None:
    """With retention_days every row carries the second after which it may go."""
    development_store.has_resource_properties(
        TABLE, {"TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True}}
    )
    rule_selects(
        development_store,
        "SELECT *, (topic(2) + '/') + topic(3) AS device, timestamp() / 1000 + 2592000 AS expires"
        " FROM 'lora/+/+'",
    )
    development_store.has_output("RetentionDays", {"Value": "30"})


def logical_id(template: Template, kind: str, construct: str) -> str:
    """Return the ID of the one resource of its kind in a construct."""
    (found,) = [name for name in template.find_resources(kind) if name.startswith(construct)]
    return found


def roles_of_the_rule(template: Template) -> list[dict[str, Any]]:
    """Return the properties of the roles that AWS IoT takes on."""
    roles = template.find_resources(ROLE).items()
    return [role["Properties"] for name, role in roles if name.startswith("Storing")]


def rule_selects(template: Template, sql: str) -> None:
    """Check the SQL of the template's one rule."""
    template.has_resource_properties(
        "AWS::IoT::TopicRule",
        {"TopicRulePayload": Match.object_like({"AwsIotSqlVersion": "2016-03-23", "Sql": sql})},
    )


def test_rule_writes_to_the_table_and_failures_to_the_queue(store: Template) -> None:
    """One DynamoDBv2 action, and one error action to the queue."""
    store.resource_count_is("AWS::IoT::TopicRule", 1)
    payload = properties(store, "AWS::IoT::TopicRule")[0]["TopicRulePayload"]
    (action,) = payload["Actions"]
    table, queue = logical_id(store, TABLE, "Uplinks"), logical_id(store, QUEUE, "Errors")
    assert action["DynamoDBv2"]["PutItem"]["TableName"] == {"Ref": table}
    assert payload["ErrorAction"]["Sqs"]["QueueUrl"] == {"Ref": queue}
    roles = (action["DynamoDBv2"]["RoleArn"], payload["ErrorAction"]["Sqs"]["RoleArn"])
    assert roles[0] != roles[1]


def test_each_role_may_do_one_thing(store: Template) -> None:
    """One role may PutItem into this table, the other SendMessage to this queue; no more."""
    table, queue = logical_id(store, TABLE, "Uplinks"), logical_id(store, QUEUE, "Errors")
    granted = [
        statement
        for role in roles_of_the_rule(store)
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert granted == [
        allow("dynamodb:PutItem", {"Fn::GetAtt": [table, "Arn"]}),
        allow("sqs:SendMessage", {"Fn::GetAtt": [queue, "Arn"]}),
    ]
    store.resource_count_is("AWS::IAM::Policy", 0)
    store.resource_count_is("AWS::IAM::ManagedPolicy", 0)


def test_only_aws_iot_of_this_account_assumes_the_roles(store: Template) -> None:
    """The trust names the service and the account, so no other account's rule can use them."""
    for role in roles_of_the_rule(store):
        assert role["AssumeRolePolicyDocument"]["Statement"] == [
            {
                "Action": "sts:AssumeRole",
                "Effect": "Allow",
                "Principal": {"Service": "iot.amazonaws.com"},
                "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
            }
        ]
        assert "ManagedPolicyArns" not in role


def test_queue_is_encrypted_and_refuses_plain_http(store: Template) -> None:
    """What could not be stored is encrypted at rest and in transit, and kept 14 days."""
    store.has_resource_properties(
        QUEUE, {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": 1_209_600}
    )
    store.has_resource_properties(
        "AWS::SQS::QueuePolicy",
        {
            "PolicyDocument": Match.object_like(
                {
                    "Statement": [
                        Match.object_like(
                            {
                                "Effect": "Deny",
                                "Action": "sqs:*",
                                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                            }
                        )
                    ]
                }
            )
        },
    )


def allow(action: str, resource: object) -> dict[str, object]:
    """Return the statement that allows one action on one resource."""
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def properties(template: Template, kind: str) -> list[dict[str, Any]]:
    """Return the properties of every resource of a kind, in order."""
    return [resource["Properties"] for resource in template.find_resources(kind).values()]
