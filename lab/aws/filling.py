"""Puts uplinks into tables as the rule and the decoder would."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import boto3

from contract.device_list import KIND_KEY, LAST_SEEN, kind_of
from contract.names import PARTITION_KEY, SORT_KEY
from contract.times import format_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableAttributeValueTypeDef

Item = dict[str, "TableAttributeValueTypeDef"]


def store_uplinks(tables: tuple[str, str], items: Iterable[Item]) -> None:
    """Store uplinks, and list their devices; the tables are that of uplinks and that of devices."""
    uplinks, devices = tables
    newest: dict[str, str] = {}
    with boto3.resource("dynamodb").Table(uplinks).batch_writer() as batch:
        for item in items:
            batch.put_item(Item=item)
            device, time = str(item[PARTITION_KEY]), str(item[SORT_KEY])
            newest[device] = max(time, newest.get(device, ""))
    for device, time in newest.items():
        _list(devices, device, time)


def list_device(devices: str, device: str, last_seen: int) -> None:
    """List a device, last seen at a time in microseconds since 1970."""
    _list(devices, device, format_time(last_seen))


def _list(devices: str, device: str, last_seen: str) -> None:
    boto3.resource("dynamodb").Table(devices).put_item(
        Item={KIND_KEY: kind_of(device), PARTITION_KEY: device, LAST_SEEN: last_seen}
    )
