"""Where Lambda comes in: everything is made once, when it starts an instance."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import boto3
from botocore.config import Config

from codec.mapping import load
from contract.deployment import Deployment
from contract.names import (
    CODECS_FOLDER,
    DEPLOYMENT_VARIABLE,
    DEVICES_VARIABLE,
    LIVE_VARIABLE,
    TABLE_VARIABLE,
)
from contract.redecoding import ANSWER, REQUEST
from decoder.again import decode_again
from decoder.aws import Live, Rows
from decoder.batch import Effects, Record, work_through
from decoder.devices import Devices

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_THREADS = 10
"""That wait for DynamoDB side by side. More would wait for the third of a CPU that they share."""

# Lambda itself tries a batch again; a call that hangs must not use up the function's time.
_CONFIG = Config(
    connect_timeout=3, read_timeout=5, retries={"mode": "standard"}, max_pool_connections=_THREADS
)
_dynamodb = boto3.client("dynamodb", config=_CONFIG)
codecs = load(Path(__file__).parent.parent / CODECS_FOLDER)
rows = Rows(_dynamodb, os.environ[TABLE_VARIABLE])
threads = ThreadPoolExecutor(_THREADS)


def _effects() -> Effects:
    deployment = Deployment(os.environ.get(DEPLOYMENT_VARIABLE, ""))
    live = (
        Live(boto3.client("iot-data", config=_CONFIG), deployment)
        if LIVE_VARIABLE in os.environ
        else None
    )
    devices = Devices(_dynamodb, os.environ[DEVICES_VARIABLE], clock=lambda: time.time_ns() // 1000)
    return Effects(
        publish=live.publish if live else lambda _row, _reading: None,
        store=rows.store,
        list_device=devices.list_device,
    )


effects = _effects()


class Event(TypedDict, total=False):
    """A batch of the table's stream, or rows to be decoded again."""

    Records: list[Record]
    redecode: "list[dict[str, AttributeValueTypeDef]]"


def handle(event: Event, _context: object) -> dict[str, object]:
    """Take a batch of the table's stream, and answer which records are to come again.

    Or take rows to decode again, and answer what became of each.
    """
    if REQUEST in event:
        return {ANSWER: decode_again(event[REQUEST], codecs, rows.replace, threads)}
    failed = work_through(event["Records"], codecs, effects, threads)
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
