"""A dashboard of the whole path, in the order of the data: from the broker to the readings."""

from collections.abc import Iterable, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks import metrics
from stacks.event_metrics import DOWNLINKS_FAILED, GAPS
from stacks.metrics import Watched

_WIDTH, _HEIGHT = 6, 6  # a quarter of a row


class Dashboard(Construct):
    """Whether all is well, where there are alarms, and below it the path from left to right."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        watched: Watched,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(self, "Dashboard")
        if alarms:
            dashboard.add_widgets(
                cloudwatch.AlarmStatusWidget(
                    title="Alarms", alarms=alarms, width=4 * _WIDTH, height=4
                )
            )
        dashboard.add_widgets(*_until_stored(watched))
        dashboard.add_widgets(*_from_the_table(watched))
        dashboard.add_widgets(*_of_events(watched))


def _until_stored(watched: Watched) -> list[cloudwatch.IWidget]:
    connects = [f"Connect.{what}" for what in ("Success", "AuthError", "Throttle")]
    connects.append("Connection.AuthNError")  # before there is a CONNECT
    publishes = [f"PublishIn.{what}" for what in ("Success", "AuthError", "Throttle")]
    publishes.append("PublishOut.Throttle")  # what subscribers lost
    rules = ("TopicMatch", "ParseError", "RuleMessageThrottled")
    actions = ("Success", "Failure", "ErrorActionSuccess", "ErrorActionFailure")
    return [
        _graph("1 Connections, of all MQTT clients", map(metrics.broker, connects)),
        _graph("2 Published, by and to all MQTT clients", map(metrics.broker, publishes)),
        _graph("3 Taken by the rule", (metrics.rule(each, watched.rule) for each in rules)),
        _graph(
            "4 Stored by the rule", (metrics.rule_actions(each, watched.rule) for each in actions)
        ),
    ]


def _from_the_table(watched: Watched) -> list[cloudwatch.IWidget]:
    writes = ("ConsumedWriteCapacityUnits", "WriteThrottleEvents")
    calls = ("Invocations", "Errors", "Throttles")
    waiting = (watched.errors, watched.undecoded)
    return [
        _graph("5 Written to the table", (metrics.table(each, watched.uplinks) for each in writes)),
        _graph("6 Decoder called", (metrics.function(each, watched.decoder) for each in calls)),
        _graph("7 Decoder behind, ms", [metrics.function("IteratorAge", watched.decoder)]),
        _graph("Not stored; not decoded", map(metrics.queue, waiting)),
    ]


def _of_events(watched: Watched) -> list[cloudwatch.IWidget]:
    counts = (metrics.events(each, watched.events) for each in (DOWNLINKS_FAILED, GAPS))
    graphs: list[cloudwatch.IWidget] = [_graph("Downlinks failed or unknown; gaps", counts)]
    if watched.silence:
        graphs.append(_graph("Silent devices", [metrics.silent_devices(watched.events)]))
    return graphs


def _graph(title: str, shown: Iterable[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=[*shown], width=_WIDTH, height=_HEIGHT)
