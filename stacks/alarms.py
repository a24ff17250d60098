"""The alarms: each says in its description what to do."""

import math
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from contract.deployment import Deployment
from stacks import metrics
from stacks.event_metrics import DOWNLINKS_FAILED, GAPS
from stacks.metrics import Watched
from stacks.settings import Watching

_Missing = cloudwatch.TreatMissingData
_Comparison = cloudwatch.ComparisonOperator
_BEHIND = 600_000  # milliseconds
_CHECK = "Run 'lora-bridge check' on the network host"


@dataclass(frozen=True)
class _When:
    """When an alarm goes off: what is counted in so many periods, and what it is compared to."""

    threshold: float = 1
    comparison: cloudwatch.ComparisonOperator = _Comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
    periods: int = 1
    missing: cloudwatch.TreatMissingData = _Missing.NOT_BREACHING


_ANY = _When()
_QUEUED = _When(missing=_Missing.IGNORE)  # SQS stops counting a queue that nobody uses


class Alarms(Construct):
    """An alarm for each thing that needs a person, told to a topic if there is one."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        deployment: Deployment,
        watched: Watched,
        watching: Watching,
    ) -> None:
        super().__init__(scope, construct_id)
        self._topics = f"{deployment.topic_root}/#"
        self._of = f" --deployment {deployment.name}" if deployment.name else ""
        topic = watching.topic_arn
        self._action = (
            actions.SnsAction(sns.Topic.from_topic_arn(self, "Topic", topic)) if topic else None
        )
        self.all: list[cloudwatch.Alarm] = []
        self._of_the_broker()
        self._of_a_storing_rule(watched.rule, "uplinks")
        self._of_a_storing_rule(watched.event_rule, "events", "Events")
        self._of_uplinks(watched, watching.quiet_minutes)
        self._of_the_store(watched)
        self._of_the_decoder(watched)
        self._of_downlinks(watched)
        if watched.silence:
            self._of_silent_devices(watched)

    def _of_the_broker(self) -> None:
        self._alarm(
            "ConnectionsRefused",
            metrics.broker("Connect.AuthError"),
            f"A client was not let in. {_CHECK}: its policy or client ID is not as deployed.",
        )
        self._alarm(
            "CertificatesRefused",
            metrics.broker("Connection.AuthNError"),
            "For a quarter of an hour clients tried to connect without a certificate that AWS IoT"
            f" knows as active. {_CHECK}, unless they are somebody else's.",
            _When(periods=3),  # who looks for open doors on the internet does not come for so long
        )
        self._alarm(
            "PublishesRefused",
            metrics.broker("PublishIn.AuthError"),
            f"A client may not publish where it tried to. {_CHECK}; the bridge keeps what was"
            " refused, and publishes it once its policy allows that.",
        )
        self._alarm(
            "PublishesThrottled",
            metrics.broker("PublishIn.Throttle"),
            "AWS IoT takes fewer publishes than come. Set 'connections' in bridge.toml higher, let"
            " respect_quotas be true, or have the account's quota raised; nothing is lost.",
        )
        self._alarm(
            "DeliveriesThrottled",
            metrics.broker("PublishOut.Throttle"),
            "More is published than AWS IoT passes on to one subscriber: a connection gets 100"
            " messages a second, and loses the others. Let its consumer subscribe to fewer topics,"
            f" or share a subscription among several connections, $share/GROUP/{self._topics}. The"
            f" table has the uplinks that it missed: 'lora-bridge replay{self._of}' publishes them"
            " again.",
        )

    def _of_a_storing_rule(self, rule: str, what: str, prefix: str = "") -> None:
        # An alarm for each rule: a query's WHERE knows no OR, and an alarm takes one query.
        self._alarm(
            f"{prefix}NotStored",
            metrics.rule_actions("Failure", rule),
            f"The rule could not store {what}. See why with 'lora-bridge errors list{self._of}';"
            f" when that is mended, 'lora-bridge errors redrive{self._of}' stores them.",
        )
        self._alarm(
            f"{prefix}NotKept",
            metrics.rule_actions("ErrorActionFailure", rule),
            f"The rule could not store {what}, nor put them into the error queue: they are lost,"
            " unless a bridge still has them. Bring queue and role back as they were declared: npx"
            " cdk deploy --all --revert-drift.",
        )
        self._alarm(
            f"{prefix}NotJson",
            metrics.rule("ParseError", rule),
            # The error action is for actions that failed, not for what the rule could not read.
            f"Something that is no JSON was published where {what} are, and is in neither the table"
            " nor the error queue. No bridge does that. See in the log of AWS IoT, with the setting"
            " iot_logging, which client did, and change it or its policy.",
        )

    def _of_uplinks(self, watched: Watched, quiet_minutes: int) -> None:
        self._alarm(
            "RuleThrottled",
            metrics.rule("RuleMessageThrottled", watched.rule),
            # The error action is for actions that failed, not for a rule that was not run.
            "AWS IoT took uplinks and did not run the rule for them: they are in neither the table"
            " nor the error queue. Have the account's quota of rule evaluations raised, and see in"
            " the log of AWS IoT, with the setting iot_logging, which client sends too much.",
        )
        self._alarm(
            "NoUplinks",
            metrics.rule("TopicMatch", watched.rule),
            f"No uplink came for {quiet_minutes} minutes or more. {_CHECK} --round-trip; if all of"
            " it is whole, look at the network server and its gateways.",
            _When(
                comparison=_Comparison.LESS_THAN_THRESHOLD,
                periods=math.ceil(quiet_minutes / metrics.PERIOD.to_minutes()),
                missing=_Missing.BREACHING,  # what does not happen is not counted
            ),
        )

    def _of_the_store(self, watched: Watched) -> None:
        self._alarm(
            "ErrorsWait",
            metrics.queue(watched.errors),
            "Uplinks or events that could not be stored wait in the error queue, for 14 days. See"
            f" why with 'lora-bridge errors list{self._of}', and store them with 'lora-bridge"
            f" errors redrive{self._of}'.",
            _QUEUED,
        )
        self._alarm(
            "TableThrottled",
            metrics.table("WriteThrottleEvents", watched.uplinks),
            "DynamoDB takes fewer uplinks than come. What the rule could not store is in the error"
            f" queue: 'lora-bridge errors redrive{self._of}'. Have the account's quota for tables"
            " raised if it goes on.",
        )

    def _of_the_decoder(self, watched: Watched) -> None:
        self._alarm(
            "UndecodedWait",
            metrics.queue(watched.undecoded),
            "AWS failed the decoder for 23 hours, and it gave uplinks up; their rows have their"
            " bytes. See the log of the function for the reason. When it is mended, 'lora-bridge"
            f" redecode APPEUI --since T{self._of}' decodes them; the alarm ends when the queue is"
            " purged: aws sqs purge-queue --queue-url.",
            _QUEUED,
        )
        self._alarm(
            "DecoderFails",
            metrics.function("Errors", watched.decoder),
            "The decoder ended with an error or took too long; the uplinks are tried again. See the"
            " log of the function for the reason: memory, time, or what was packed with it.",
        )
        self._alarm(
            "DecoderBehind",
            metrics.function("IteratorAge", watched.decoder),
            "Readings come more than ten minutes late. See the log of the function: a codec that"
            " takes long, or calls of DynamoDB that fail.",
            _When(threshold=_BEHIND),
        )

    def _of_downlinks(self, watched: Watched) -> None:
        self._alarm(
            DOWNLINKS_FAILED,
            metrics.events(DOWNLINKS_FAILED, watched.events),
            "A downlink failed, or nobody can say what became of it: state failed or unknown. See"
            f" the reason with 'lora-bridge events DEVICE --type downlink{self._of}'; the bridge's"
            " log names the device. Ask for it again under another id if the device still needs"
            " it.",
        )
        self._alarm(
            GAPS,
            metrics.events(GAPS, watched.events),
            "A bridge may have missed frames or requests. 'lora-bridge events bridge/NAME --type"
            f" gap{self._of}' says since when, and why. Look at the network server's host and its"
            " link in that time; ask again for downlinks of which there is no event.",
        )

    def _of_silent_devices(self, watched: Watched) -> None:
        self._alarm(
            "SilenceUnwatched",
            metrics.silent_devices(watched.events),
            "Nobody has looked for a quarter of an hour which devices are silent. See the log of"
            f" the function for the reason; 'lora-bridge devices --silent{self._of}' looks"
            " meanwhile.",
            _When(
                threshold=0,
                comparison=_Comparison.LESS_THAN_THRESHOLD,
                periods=3,
                missing=_Missing.BREACHING,  # each run writes the metric
            ),
        )

    def _alarm(
        self, name: str, metric: cloudwatch.IMetric, description: str, when: _When = _ANY
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            alarm_description=description,
            threshold=when.threshold,
            comparison_operator=when.comparison,
            evaluation_periods=when.periods,
            treat_missing_data=when.missing,
        )
        if self._action:
            alarm.add_alarm_action(self._action)
            alarm.add_ok_action(self._action)
        self.all.append(alarm)
