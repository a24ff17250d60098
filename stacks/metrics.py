"""What CloudWatch counts of the path (AWS IoT Developer Guide, "Metrics and dimensions")."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from contract.names import SILENT_DEVICES

PERIOD = Duration.minutes(5)
_SUM, _MAXIMUM = "Sum", "Maximum"


@dataclass(frozen=True)
class Watched:
    """The names of the two rules that store, the table of uplinks, the decoder, and the queues.

    ``events`` is the namespace in which events are counted, and silent devices if they are:
    ``silence``.
    """

    rule: str
    event_rule: str
    events: str
    uplinks: str
    decoder: str
    errors: str
    undecoded: str
    silence: bool


def broker(name: str) -> cloudwatch.Metric:
    """Return a count of AWS IoT's message broker, of all MQTT clients of the account."""
    return _metric("AWS/IoT", name, _SUM, Protocol="MQTT")


def rule(name: str, rule_name: str) -> cloudwatch.Metric:
    """Return a count of a rule."""
    return _metric("AWS/IoT", name, _SUM, RuleName=rule_name)


def rule_actions(name: str, rule_name: str) -> cloudwatch.MathExpression:
    """Return a count of a rule's actions of every type: no document says how AWS IoT names them.

    A query of CloudWatch Metrics Insights, which an alarm may be for.
    """
    return cloudwatch.MathExpression(
        expression=f'SELECT SUM({name}) FROM SCHEMA("AWS/IoT", ActionType, RuleName)'  # noqa: S608
        f" WHERE RuleName = '{rule_name}'",
        using_metrics={},
        label=name,
        period=PERIOD,
    )


def queue(name: str) -> cloudwatch.Metric:
    """Return how many messages a queue has."""
    return _metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", _MAXIMUM, QueueName=name)


def table(name: str, table_name: str) -> cloudwatch.Metric:
    """Return a count of a table."""
    return _metric("AWS/DynamoDB", name, _SUM, TableName=table_name)


def function(name: str, function_name: str) -> cloudwatch.Metric:
    """Return a count of a function, or for its ``IteratorAge`` the greatest, in milliseconds."""
    statistic = _MAXIMUM if name == "IteratorAge" else _SUM
    return _metric("AWS/Lambda", name, statistic, FunctionName=function_name)


def events(name: str, namespace: str) -> cloudwatch.Metric:
    """Return a count of events, which a rule counts."""
    return _metric(namespace, name, _SUM)


def silent_devices(namespace: str) -> cloudwatch.Metric:
    """Return how many devices are silent."""
    return _metric(namespace, SILENT_DEVICES, _MAXIMUM)


def _metric(namespace: str, name: str, statistic: str, **dimensions: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=PERIOD,
    )
