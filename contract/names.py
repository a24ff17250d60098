"""The names on which the bridge and the CDK stacks must agree, and that all deployments share.

Both sides import them from here, so that neither can drift from the other.
"""

import re
from enum import StrEnum
from functools import lru_cache

TABLE_OUTPUT = "TableName"
RULE_OUTPUT = "RuleName"
EVENT_RULE_OUTPUT = "EventRuleName"
DEVICES_OUTPUT = "DevicesTableName"
ERROR_QUEUE_OUTPUT = "ErrorQueueUrl"
FAILURE_QUEUE_OUTPUT = "FailureQueueUrl"
DECODER_OUTPUT = "DecoderFunctionName"
RETENTION_OUTPUT = "RetentionDays"
"""Days that rows are kept, or ``NO_RETENTION``: an output is never empty."""
NO_RETENTION = "none"

CHECK_APPLICATION = "check"
"""AppEUI of the test uplinks that ``lora-bridge check`` makes, whose devices are the bridges."""

SETTINGS_OUTPUT = "Settings"
"""What a store, or an identity, was deployed with: a JSON object."""

KIND_OUTPUT = "Kind"
CERTIFICATES_OUTPUT = "CertificateIds"
"""The IDs of an identity's certificates, by commas: while they change there are two."""

PARTITION_KEY = "device"
SORT_KEY = "timestamp"
EXPIRY_ATTRIBUTE = "expires"
"""Epoch seconds after which DynamoDB may delete a row, when retention is limited."""

DECODED, DECODE_WARNINGS, DECODE_ERROR = "decoded", "decode_warnings", "decode_error"
"""What the decoder adds to a row: the reading, a map, with the codec's warnings if there are any;
or why there is none, ``code`` and ``message``."""
DECODED_BY = "decoded_by"
"""Text that the decoder adds with either: which codec it was, and in which version."""
OF_THE_DECODER = (DECODED, DECODE_WARNINGS, DECODE_ERROR, DECODED_BY)

SAID = "object"
"""Text of JSON in an uplink: the reading that the network server's own codec made."""
SAID_BY = "chirpstack"
"""``decoded_by`` of such a reading: there is one kind of server that makes them."""
ENCRYPTED = "encrypted"
"""True in an uplink whose bytes only the application's owner can read."""
NAME = "name"
"""Text in uplinks and events: what the network server calls the device."""

TABLE_VARIABLE, DEVICES_VARIABLE, LIVE_VARIABLE = "TABLE", "DEVICES_TABLE", "PUBLISH_DECODED"
"""Environment of the decoder: two names of tables, and whether it publishes readings too."""
DEPLOYMENT_VARIABLE = "DEPLOYMENT"
"""The same: which deployment it belongs to, if that has a name."""
TOPIC_VARIABLE = "ALARM_TOPIC"
"""Environment of the function that tells of silent devices, beside the names of the tables."""
SILENT_DEVICES = "SilentDevices"
"""The metric that it writes, of how many devices are silent."""
CODECS_FOLDER = "codecs"
"""Where the decoder finds its codecs, below the folder it is unpacked to."""

_INGEST = re.compile(r"\$aws/rules/[^/]+/")
_OF_UPLINKS = 2  # slashes in a topic
_IDENTITY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


@lru_cache(10_000)  # the same devices come again and again
def device_of(topic: str) -> str:
    """Return ``APPEUI/MOTEEUI``, the device that a topic below the root is about.

    Whatever follows the device in the topic says what of it the message is.
    """
    return "/".join(topic.split("/")[1:3])


BRIDGE_APPLICATION = "bridge"
"""Application of the events that are about a bridge itself, whose device is its client ID."""


EVENT_TYPE = "type"
"""What each event has, and no uplink: its ``EventType``, a text."""


class EventType(StrEnum):
    """What happened to a device. Their fields are in docs/downlinks.md.

    None is called as the last level of the topic of requests: a policy that means those alone,
    ``…/*/*/down``, would mean its events, too, since a ``*`` there also stands for slashes.
    """

    JOIN = "join"
    STATUS = "status"
    DOWNLINK = "downlink"
    GAP = "gap"
    LOCATION = "location"
    LOG = "log"
    OTHER = "other"


class IdentityKind(StrEnum):
    """What an identity may do: a bridge publishes, a consumer subscribes."""

    BRIDGE = "bridge"
    CONSUMER = "consumer"


def check_identity_name(name: str) -> str:
    """Return ``name``, which becomes part of a thing name, an MQTT client ID and a stack name.

    Raises:
        ValueError: it is not 1 to 64 letters, digits and inner or final hyphens.

    """
    if not _IDENTITY_NAME.fullmatch(name):
        raise ValueError(
            f"name {name!r} must be 1 to 64 letters, digits or '-', starting with no '-'"
        )
    return name


def client_id(thing: str, connection: int) -> str:
    """Return the MQTT client ID of a connection, counted from 1.

    The first carries the bare name. The dot cannot occur in a name, so the policy of one
    identity (``NAME`` and ``NAME.*``) never covers another's client IDs.
    """
    return thing if connection == 1 else f"{thing}.{connection}"


def ingest_topic(rule: str, topic: str) -> str:
    """Return the topic of Basic Ingest on which a message for ``topic`` goes to a rule alone.

    To the rule it is as if it came on ``topic`` ("Reducing messaging costs with Basic Ingest", AWS
    IoT Core Developer Guide).
    """
    return f"$aws/rules/{rule}/{topic}"


def without_ingest(topic: str) -> str:
    """Return a topic as it is without Basic Ingest."""
    return _INGEST.sub("", topic, count=1) if topic.startswith("$") else topic


def command_client_id(thing: str, command: str) -> str:
    """Return the MQTT client ID of a command that connects beside an identity's programs.

    Two runs that may go on at once need different words for ``command``.
    """
    return f"{thing}.{command}"


def downlink_client_id(thing: str) -> str:
    """Return the MQTT client ID under which a bridge takes requests for downlinks."""
    return f"{thing}.down"


def is_event(topic: str) -> bool:
    """Say whether a topic is of events: that of uplinks ends with the device."""
    return topic.count("/") > _OF_UPLINKS


def event_partition(device: str) -> str:
    """Return the partition key of the events of ``APPEUI/MOTEEUI``: no uplink has it."""
    return f"{device}/event"
