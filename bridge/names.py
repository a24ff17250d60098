"""The names on which the bridge and the CDK stacks must agree.

Both sides import them from here, so that neither can drift from the other.
"""

import re
from enum import StrEnum

TOPIC_ROOT = "lora"
"""First level of every topic: ``lora/{appeui}/{moteeui}``."""

STORE_STACK = "LoraStore"
TABLE_OUTPUT = "TableName"
ERROR_QUEUE_OUTPUT = "ErrorQueueUrl"

KIND_OUTPUT = "Kind"
CERTIFICATE_OUTPUT = "CertificateId"

PARTITION_KEY = "device"
SORT_KEY = "timestamp"
EXPIRY_ATTRIBUTE = "expires"
"""Epoch seconds after which DynamoDB may delete a row, when retention is limited."""

_IDENTITY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


class IdentityKind(StrEnum):
    """What an identity may do: a bridge publishes, a consumer subscribes."""

    BRIDGE = "bridge"
    CONSUMER = "consumer"


def check_identity_name(name: str) -> str:
    """Return ``name``, which becomes a thing name, an MQTT client ID and part of a stack name.

    Raises:
        ValueError: it is not 1 to 64 letters, digits and inner or final hyphens.

    """
    if not _IDENTITY_NAME.fullmatch(name):
        raise ValueError(
            f"name {name!r} must be 1 to 64 letters, digits or '-', starting with no '-'"
        )
    return name


def identity_stack(name: str) -> str:
    """Return the name of the CloudFormation stack that holds the identity ``name``."""
    return f"LoraIdentity-{name}"


def client_id(name: str, connection: int) -> str:
    """Return the MQTT client ID of a connection, counted from 1.

    The first carries the bare name. The dot cannot occur in a name, so the policy of one
    identity (``NAME`` and ``NAME.*``) never covers another's client IDs.
    """
    return name if connection == 1 else f"{name}.{connection}"
