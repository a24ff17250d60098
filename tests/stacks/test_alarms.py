"""What goes wrong in AWS is seen, and told with what to do."""

import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

import app
from contract.deployment import UNNAMED, Deployment
from tests.stacks.conftest import TOPIC, Synthesize, template

RULE, EVENT_RULE = "StoringRule", "StoringEventRule"
TABLE, FUNCTION = "UplinksTable", "DecodingFunction"
ERRORS, UNDECODED = "ErrorsQueue", "UndecodedQueue"


def alarms(template: Template) -> dict[str, Any]:
    """Return the properties of the alarms by the name of their construct."""
    found = template.find_resources("AWS::CloudWatch::Alarm")
    return {name.removeprefix("Watching")[:-8]: each["Properties"] for name, each in found.items()}


@pytest.mark.parametrize(
    ("name", "metric", "dimension", "of"),
    [
        ("ConnectionsRefused", "AWS/IoT Connect.AuthError", "Protocol", "MQTT"),
        ("CertificatesRefused", "AWS/IoT Connection.AuthNError", "Protocol", "MQTT"),
        ("PublishesRefused", "AWS/IoT PublishIn.AuthError", "Protocol", "MQTT"),
        ("PublishesThrottled", "AWS/IoT PublishIn.Throttle", "Protocol", "MQTT"),
        ("DeliveriesThrottled", "AWS/IoT PublishOut.Throttle", "Protocol", "MQTT"),
        ("NotJson", "AWS/IoT ParseError", "RuleName", RULE),
        ("EventsNotJson", "AWS/IoT ParseError", "RuleName", EVENT_RULE),
        ("NoUplinks", "AWS/IoT TopicMatch", "RuleName", RULE),
        ("RuleThrottled", "AWS/IoT RuleMessageThrottled", "RuleName", RULE),
        ("ErrorsWait", "AWS/SQS ApproximateNumberOfMessagesVisible", "QueueName", ERRORS),
        ("TableThrottled", "AWS/DynamoDB WriteThrottleEvents", "TableName", TABLE),
        ("UndecodedWait", "AWS/SQS ApproximateNumberOfMessagesVisible", "QueueName", UNDECODED),
        ("DecoderFails", "AWS/Lambda Errors", "FunctionName", FUNCTION),
        ("DecoderBehind", "AWS/Lambda IteratorAge", "FunctionName", FUNCTION),
    ],
)
def test_what_is_watched(store: Template, name: str, metric: str, dimension: str, of: str) -> None:
    """Each alarm is for a metric that AWS has, of what is deployed."""
    alarm = alarms(store)[name]
    assert f"{alarm['Namespace']} {alarm['MetricName']}" == metric
    (only,) = alarm["Dimensions"]
    assert only["Name"] == dimension
    assert of in str(only["Value"])


@pytest.mark.parametrize("name", ["DownlinksFailed", "Gaps"])
def test_events_that_need_a_person_are_watched(store: Template, name: str) -> None:
    """The metric of each alarm is that which a rule counts, in the deployment's namespace."""
    alarm = alarms(store)[name]
    counting = rules_that_count(store)[name][1]
    assert alarm["Namespace"] == counting["MetricNamespace"] == "lora-bridge"
    assert "Dimensions" not in alarm
    assert (counting["MetricValue"], counting["MetricUnit"]) == ("1", "Count")


def test_what_is_counted(store: Template) -> None:
    """Downlinks whose end is bad, and all gaps of bridges."""
    assert {name: sql for name, (sql, _) in rules_that_count(store).items()} == {
        "DownlinksFailed": "SELECT state FROM 'lora/+/+/event/downlink'"
        " WHERE state = 'failed' OR state = 'unknown'",
        "Gaps": "SELECT what FROM 'lora/bridge/+/event/gap'",
    }


def rules_that_count(template: Template) -> dict[str, tuple[str, Any]]:
    """Return the SQL and the action of the rules that count, by the name of their metric."""
    payloads = [
        each["Properties"]["TopicRulePayload"]
        for each in template.find_resources("AWS::IoT::TopicRule").values()
    ]
    return {
        action["CloudwatchMetric"]["MetricName"]: (payload["Sql"], action["CloudwatchMetric"])
        for payload in payloads
        for action in payload["Actions"]
        if "CloudwatchMetric" in action
    }


def test_it_may_count_in_its_namespace_alone(synthesize: Synthesize) -> None:
    """Rules that count may do nothing else, nor in other deployments; no other account has them."""
    named = template(synthesize({"deployment": "staging"}), "Lora-staging-Store")
    roles = named.find_resources("AWS::IAM::Role").items()
    ((role),) = (each for name, each in roles if name.startswith("Counting"))
    (policy,) = role["Properties"]["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Action": "cloudwatch:PutMetricData",
            "Effect": "Allow",
            "Resource": "*",
            "Condition": {"StringEquals": {"cloudwatch:namespace": "lora-bridge/staging"}},
        }
    ]
    (trusted,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    rules = ["arn:", {"Ref": "AWS::Partition"}, ":iot:", {"Ref": "AWS::Region"}, ":"]
    rules += [{"Ref": "AWS::AccountId"}, ":rule/*"]
    assert trusted["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        "ArnLike": {"aws:SourceArn": {"Fn::Join": ["", rules]}},
    }
    counting = rules_that_count(named).values()
    assert {each["MetricNamespace"] for _, each in counting} == {"lora-bridge/staging"}


@pytest.mark.parametrize(
    ("name", "metric"), [("NotStored", "Failure"), ("NotKept", "ErrorActionFailure")]
)
@pytest.mark.parametrize(("prefix", "rule"), [("", RULE), ("Events", EVENT_RULE)])
def test_failures_of_the_rules_are_watched(
    store: Template, name: str, metric: str, prefix: str, rule: str
) -> None:
    """Of whichever type of action, by a query."""
    (query,) = alarms(store)[prefix + name]["Metrics"]
    text = str(query["Expression"])
    assert f"SUM({metric})" in text
    assert 'SCHEMA("AWS/IoT", ActionType, RuleName)' in text
    assert rule in text


def test_when_they_go_off(store: Template) -> None:
    """Anything at all is too much, but for uplinks, of which none at all is too few."""
    when = {
        name: (
            alarm["ComparisonOperator"],
            alarm["Threshold"],
            alarm["EvaluationPeriods"],
            alarm["TreatMissingData"],
        )
        for name, alarm in alarms(store).items()
    }
    some, queued = (
        ("GreaterThanOrEqualToThreshold", 1, 1, missing) for missing in ("notBreaching", "ignore")
    )
    assert when == dict.fromkeys(
        [
            *("ConnectionsRefused", "PublishesRefused", "PublishesThrottled"),
            *("DeliveriesThrottled", "NotJson"),
            *("NotStored", "NotKept", "RuleThrottled", "TableThrottled", "DecoderFails"),
            *("EventsNotStored", "EventsNotKept", "EventsNotJson"),
            *("DownlinksFailed", "Gaps"),
        ],
        some,
    ) | {
        "CertificatesRefused": ("GreaterThanOrEqualToThreshold", 1, 3, "notBreaching"),
        "ErrorsWait": queued,
        "UndecodedWait": queued,
        "DecoderBehind": ("GreaterThanOrEqualToThreshold", 600_000, 1, "notBreaching"),
        "NoUplinks": ("LessThanThreshold", 1, 12, "breaching"),
    }


def test_each_says_what_to_do(store: Template) -> None:
    """Its description names a command, a setting, or where to look; it fits CloudWatch."""
    for alarm in alarms(store).values():
        said = alarm["AlarmDescription"]
        assert len(said) <= 1024
        assert any(word in said for word in ("lora-bridge", "bridge.toml", "cdk deploy", "log of"))


def test_each_names_its_deployment(store: Template, synthesize: Synthesize) -> None:
    """Commands that ask AWS, and topics to subscribe to, are those of the deployment alone."""
    named = template(synthesize({"deployment": "staging"}), Deployment("staging").store_stack)
    command = re.compile(r"'lora-bridge (?!check)[^']*'")  # check knows from bridge.toml
    texts = {name: alarm["AlarmDescription"] for name, alarm in alarms(named).items()}
    commands = [each for said in texts.values() for each in command.findall(said)]
    assert len(commands) == 11
    assert all(each.endswith(" --deployment staging'") for each in commands)
    assert "$share/GROUP/lora-staging/#." in texts["DeliveriesThrottled"]
    unnamed = {name: alarm["AlarmDescription"] for name, alarm in alarms(store).items()}
    assert "$share/GROUP/lora/#." in unnamed["DeliveriesThrottled"]
    assert {
        name: said.replace(" --deployment staging", "").replace("lora-staging/", "lora/")
        for name, said in texts.items()
    } == unnamed


def test_the_documents_list_them(told: Path) -> None:
    """docs/troubleshooting.md has each alarm by its name, and no other."""
    page = (Path(app.__file__).parent / "docs" / "troubleshooting.md").read_text()
    section = page.partition("## Alarms")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(
        alarms(template(told, UNNAMED.store_stack))
    )


def test_nobody_is_told_without_a_topic(store: Template) -> None:
    """Alarms are seen in CloudWatch then."""
    told = ("AlarmActions", "OKActions", "InsufficientDataActions")
    assert not [name for name, alarm in alarms(store).items() for each in told if each in alarm]


def test_a_topic_is_told(synthesize: Synthesize) -> None:
    """Of each alarm, and that it is over; quiet for as long as was said."""
    context: dict[str, object] = {"alarm_topic": TOPIC, "quiet_minutes": "22"}
    found = alarms(template(synthesize(context), UNNAMED.store_stack))
    assert len(found) == 20
    assert all(alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC] for alarm in found.values())
    assert found["NoUplinks"]["EvaluationPeriods"] == 5
    assert "for 22 minutes" in found["NoUplinks"]["AlarmDescription"]


def test_that_nobody_watches_for_silence_is_told(told: Path, store: Template) -> None:
    """When the metric that each run writes has not come for a quarter of an hour."""
    alarm = alarms(template(told, UNNAMED.store_stack))["SilenceUnwatched"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("lora-bridge", "SilentDevices")
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (300, 3)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 0)
    assert alarm["TreatMissingData"] == "breaching"
    assert "lora-bridge devices --silent" in alarm["AlarmDescription"]
    assert alarm["AlarmActions"] == [TOPIC]
    assert "SilenceUnwatched" not in alarms(store)


def test_in_development_there_are_none(development_store: Template) -> None:
    """What is tried out is silent for days, and its path is shown all the same."""
    assert alarms(development_store) == {}
    development_store.resource_count_is("AWS::CloudWatch::Dashboard", 1)


def test_the_dashboard_shows_the_whole_path(store: Template) -> None:
    """Its graphs are in the order of the data, below the alarms."""
    (dashboard,) = store.find_resources("AWS::CloudWatch::Dashboard").values()
    body = str(dashboard["Properties"]["DashboardBody"])
    titles = [
        *("Alarms", "1 Connections", "2 Published", "3 Taken", "4 Stored"),
        *("5 Written", "6 Decoder", "7 Decoder behind", "Not stored"),
        "Downlinks failed",
    ]
    places = [body.index(f'"title":"{title}') for title in titles]
    assert places == sorted(places)
    for name in (RULE, TABLE, FUNCTION, ERRORS, UNDECODED):
        assert name in body
    assert "Silent devices" not in body


def test_the_dashboard_shows_how_many_devices_are_silent(told: Path) -> None:
    """Where that is watched."""
    store = template(told, UNNAMED.store_stack)
    (dashboard,) = store.find_resources("AWS::CloudWatch::Dashboard").values()
    assert '"title":"Silent devices"' in str(dashboard["Properties"]["DashboardBody"])


def test_the_log_of_aws_iot_is_apart(synthesize: Synthesize, production: Path) -> None:
    """Without a level in the context there is no such stack; with it, a role for one log group."""
    assert not (production / "LoraIotLogging.template.json").exists()
    logging = template(synthesize({"iot_logging": "warn"}), "LoraIotLogging")
    logging.has_resource_properties("AWS::IoT::Logging", {"DefaultLogLevel": "WARN"})
    (role,) = logging.find_resources("AWS::IAM::Role").values()
    (policy,) = role["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert len(statement["Resource"]) == 2
    assert all("log-group:AWSIotLogsV2" in str(each) for each in statement["Resource"])
