"""What tells one deployment from another beside it, in the same account and region."""

import re
from dataclasses import dataclass

from contract.names import event_partition

NAME_PATTERN = "[a-z0-9]{1,16}"


@dataclass(frozen=True)
class Deployment:
    """A deployment, and every name that follows from its own.

    One may have no name. No two share a name of anything: a name has no ``-``, which ends it in
    topics and stacks, and no ``_``, which ends it in things and which no identity has. It has no
    capitals, because AWS does not tell them from small letters everywhere (names of IAM roles).

    Raises:
        ValueError: the name is not 1 to 16 small letters and digits.

    """

    name: str = ""

    def __post_init__(self) -> None:
        if self.name and not re.fullmatch(NAME_PATTERN, self.name):
            raise ValueError(f"deployment {self.name!r} must be 1 to 16 small letters or digits")

    @property
    def topic_root(self) -> str:
        """First level of every topic."""
        return f"lora-{self.name}" if self.name else "lora"

    @property
    def store_stack(self) -> str:
        """Name of the CloudFormation stack that holds the data."""
        return f"Lora-{self.name}-Store" if self.name else "LoraStore"

    @property
    def logging_stack(self) -> str:
        """Name of the stack that makes AWS IoT log: an account has one such setting in a region.

        It is not one stack for all: the second deployment that wants it is refused by AWS IoT, and
        does not change, and later remove, what the first has set.
        """
        return f"Lora-{self.name}-IotLogging" if self.name else "LoraIotLogging"

    @property
    def metric_namespace(self) -> str:
        """Namespace of CloudWatch in which events are counted."""
        return f"lora-bridge/{self.name}" if self.name else "lora-bridge"

    def identity_stack(self, identity: str) -> str:
        """Return the name of the stack that holds an identity."""
        return f"Lora-{self.name}-Identity-{identity}" if self.name else f"LoraIdentity-{identity}"

    def thing(self, identity: str) -> str:
        """Return the thing name of an identity, which is its MQTT client ID."""
        return f"{self.name}_{identity}" if self.name else identity

    def identity(self, thing: str) -> str:
        """Return the name of the identity that has a thing name."""
        return thing.removeprefix(f"{self.name}_") if self.name else thing

    def uplink_topic(self, device: str) -> str:
        """Return the topic of the uplinks of ``APPEUI/MOTEEUI``: the rule takes these."""
        return f"{self.topic_root}/{device}"

    def decoded_topic(self, device: str) -> str:
        """Return the topic of the decoded uplinks of ``APPEUI/MOTEEUI``, or of all for ``*/*``.

        It has a level more than the rule takes, so that it cannot feed the rule again.
        """
        return f"{self.uplink_topic(device)}/decoded"

    def request_topic(self, device: str) -> str:
        """Return the topic of requests for downlinks to ``APPEUI/MOTEEUI``, or ``+/+`` for all."""
        return f"{self.uplink_topic(device)}/down"

    def event_topic(self, device: str, kind: str) -> str:
        """Return the topic of events of a kind, of ``APPEUI/MOTEEUI`` or, for ``+/+``, of all."""
        return f"{self.uplink_topic(device)}/event/{kind}"

    def row_partition(self, topic: str) -> str | None:
        """Return the partition key of the row for a message, None where no rule takes its topic."""
        match topic.split("/"):
            case [self.topic_root, application, device]:
                return f"{application}/{device}"
            case [self.topic_root, application, device, "event", _]:
                return event_partition(f"{application}/{device}")
            case _:
                return None


UNNAMED = Deployment()
"""The one without a name."""
