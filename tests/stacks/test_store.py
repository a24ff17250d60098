"""The store keeps every uplink, and lets nobody else write."""

import json
from pathlib import Path
from typing import Any

from aws_cdk.assertions import Match, Template

from contract.deployment import UNNAMED
from tests.stacks.conftest import KEY, template

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


def test_production_data_outlives_its_stack(store: Template) -> None:
    """Unless told otherwise, tables and queues are retained, but for those of a failed creation."""
    data_is(store, "RetainExceptOnCreate", replaced="Retain", protected=False)


def test_nothing_hinders_a_second_first_deployment(production: Path) -> None:
    """By default nothing is protected: what a failed deployment made can be deleted."""
    assert stack_properties(production)["terminationProtection"] is False


def test_protected_data_refuses_to_be_deleted(guarded: Path) -> None:
    """When asked, the stack and its tables refuse; that is no other way to keep them."""
    data_is(
        template(guarded, UNNAMED.store_stack),
        "RetainExceptOnCreate",
        replaced="Retain",
        protected=True,
    )
    assert stack_properties(guarded)["terminationProtection"] is True


def test_each_deployment_without_protection_reminds_of_it(
    production: Path, development: Path, guarded: Path
) -> None:
    """In production the command line says how to protect the store until it is."""
    (reminder,) = reminders(production)
    assert "set 'protected' to true" in reminder
    assert reminders(guarded) == reminders(development) == []


def reminders(folder: Path) -> list[str]:
    """Return what the command line says of the store when it is deployed."""
    metadata = json.loads((folder / f"{UNNAMED.store_stack}.metadata.json").read_text())
    entries = [each for about in metadata.values() for each in about]
    return [each["data"] for each in entries if each["type"] == "aws:cdk:info"]


def stack_properties(folder: Path) -> dict[str, Any]:
    """Return what the assembly tells the CDK's command line of the store's stack."""
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    found: dict[str, Any] = artifacts[UNNAMED.store_stack]["properties"]
    return found


def test_the_list_of_devices_has_several_partitions(store: Template) -> None:
    """The table of devices is keyed by kind and device: a query for each kind finds all devices."""
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
    data_is(development_store, "Delete", replaced="Delete", protected=False)


def data_is(template: Template, deleted: str, *, replaced: str, protected: bool) -> None:
    """Check what happens to the data when its stack goes; recovery is on in any case."""
    replica = {
        "DeletionProtectionEnabled": protected,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    template.all_resources(
        TABLE,
        {
            "DeletionPolicy": deleted,
            "UpdateReplacePolicy": replaced,
            "Properties": {"Replicas": [Match.object_like(replica)]},
        },
    )
    template.all_resources(QUEUE, {"DeletionPolicy": deleted, "UpdateReplacePolicy": replaced})


def test_rows_are_kept_for_ever_by_default(store: Template) -> None:
    """Without retention_days nothing expires, and the rule writes no expiry."""
    store.has_resource_properties(TABLE, {"TimeToLiveSpecification": Match.absent()})
    rule_selects(store, "SELECT *, (topic(2) + '/') + topic(3) AS device FROM 'lora/+/+'")
    rule_selects(
        store,
        "SELECT *, ((topic(2) + '/') + topic(3)) + '/event' AS device FROM 'lora/+/+/event/+'",
    )
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
    rule_selects(
        development_store,
        "SELECT *, ((topic(2) + '/') + topic(3)) + '/event' AS device,"
        " timestamp() / 1000 + 2592000 AS expires FROM 'lora/+/+/event/+'",
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
    """Check that a rule of the template has this SQL."""
    template.has_resource_properties(
        "AWS::IoT::TopicRule",
        {"TopicRulePayload": Match.object_like({"AwsIotSqlVersion": "2016-03-23", "Sql": sql})},
    )


def test_rules_write_to_the_table_and_failures_to_the_queue(store: Template) -> None:
    """Each has one DynamoDBv2 action, and one error action to the queue."""
    table, queue = logical_id(store, TABLE, "Uplinks"), logical_id(store, QUEUE, "Errors")
    for output in ("RuleName", "EventRuleName"):
        rule = store.to_json()["Outputs"][output]["Value"]["Ref"]
        found = store.find_resources("AWS::IoT::TopicRule")[rule]
        payload = found["Properties"]["TopicRulePayload"]
        (action,) = payload["Actions"]
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
    """The trust names rules of this account and region, so nobody else's can use the roles."""
    rules = ["arn:", {"Ref": "AWS::Partition"}, ":iot:", {"Ref": "AWS::Region"}, ":"]
    rules += [{"Ref": "AWS::AccountId"}, ":rule/*"]
    for role in roles_of_the_rule(store):
        assert role["AssumeRolePolicyDocument"]["Statement"] == [
            {
                "Action": "sts:AssumeRole",
                "Effect": "Allow",
                "Principal": {"Service": "iot.amazonaws.com"},
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
                    "ArnLike": {"aws:SourceArn": {"Fn::Join": ["", rules]}},
                },
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


def test_the_operators_key_encrypts_all_that_is_kept(guarded: Path) -> None:
    """With kms_key the tables, the queues and the log of the decoder have that key."""
    store = template(guarded, UNNAMED.store_stack)
    replica = {"SSESpecification": {"KMSMasterKeyId": KEY}}
    store.all_resources_properties(
        TABLE,
        {
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
            "Replicas": [Match.object_like(replica)],
        },
    )
    store.all_resources_properties(QUEUE, {"KmsMasterKeyId": KEY})
    store.all_resources_properties("AWS::Logs::LogGroup", {"KmsKeyId": KEY})


def test_the_key_may_be_used_by_the_roles_that_need_it(store: Template, guarded: Path) -> None:
    """Writers of tables may do with the key what DynamoDB does for them, the reporter less."""
    assert rights_on_the_key(store) == {}
    table = [
        *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
        *("kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
    ]
    assert rights_on_the_key(template(guarded, UNNAMED.store_stack)) == {
        "DecodingRole": table,
        "StoringWriter": table,
        "StoringErrorReporter": ["kms:Decrypt", "kms:GenerateDataKey"],
    }


def rights_on_the_key(template: Template) -> dict[str, list[str]]:
    """Return which roles may do what with the operator's key: ID without its hash → actions."""
    return {
        name[:-8]: statement["Action"]
        for name, role in template.find_resources(ROLE).items()
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Resource"] == KEY
    }


def allow(action: str, resource: object) -> dict[str, object]:
    """Return the statement that allows one action on one resource."""
    return {"Effect": "Allow", "Action": action, "Resource": resource}
