"""Where Lambda comes in: everything is made once, when it starts an instance."""

import logging
import os
from pathlib import Path

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
from decoder.aws import Devices, Live, Rows
from decoder.batch import Effects, Record, work_through

logging.getLogger().setLevel(logging.INFO)

# Lambda itself tries a batch again; a call that hangs must not use up the function's time.
_CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard"})
_dynamodb = boto3.resource("dynamodb", config=_CONFIG)
codecs = load(Path(__file__).parent.parent / CODECS_FOLDER)


def _effects() -> Effects:
    deployment = Deployment(os.environ.get(DEPLOYMENT_VARIABLE, ""))
    live = (
        Live(boto3.client("iot-data", config=_CONFIG), deployment)
        if LIVE_VARIABLE in os.environ
        else None
    )
    return Effects(
        list_device=Devices(_dynamodb.Table(os.environ[DEVICES_VARIABLE])).list_device,
        publish=live.publish if live else lambda _row, _reading: None,
        store=Rows(_dynamodb.Table(os.environ[TABLE_VARIABLE])).store,
    )


_effects_here = _effects()


def handle(event: dict[str, list[Record]], _context: object) -> dict[str, list[dict[str, str]]]:
    """Take a batch of the table's stream; answer which records are to come again."""
    failed = work_through(event["Records"], codecs, _effects_here)
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
