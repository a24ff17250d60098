"""Where Lambda comes in, every few minutes: everything is made once, when it starts an instance."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import boto3
from botocore.config import Config

from contract.deployment import Deployment
from contract.names import (
    DEPLOYMENT_VARIABLE,
    DEVICES_VARIABLE,
    SILENT_DEVICES,
    TABLE_VARIABLE,
    TOPIC_VARIABLE,
)
from contract.silence import INTERVALS_FILE, Intervals, load_intervals
from silence.aws import DeviceList, Uplinks
from silence.judging import watch
from silence.known import Memory
from silence.sorting import Moment
from silence.telling import message

_THREADS = 16
_KEPT = 100.0  # seconds of a run in which no more is looked at: to tell and to write

_config = Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard"}, max_pool_connections=_THREADS
)
_dynamodb = boto3.client("dynamodb", config=_config)
_sns = boto3.client("sns", config=_config)
_cloudwatch = boto3.client("cloudwatch", config=_config)
_threads = ThreadPoolExecutor(_THREADS)
_file = Path(__file__).parent.parent / INTERVALS_FILE
intervals = load_intervals(_file) if _file.exists() else Intervals()
deployment = Deployment(os.environ.get(DEPLOYMENT_VARIABLE, ""))
devices = DeviceList(_dynamodb, os.environ[DEVICES_VARIABLE], _threads)
uplinks = Uplinks(_dynamodb, os.environ[TABLE_VARIABLE], _threads)
memory = Memory()


class Context(Protocol):
    """What Lambda hands over beside the event; the part of it that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the run may still take."""


def handle(_event: object, context: Context) -> None:
    """Tell who has fallen silent and who is back, and only then note it: it is told once or more.

    What AWS does not do now ends the run, and the next one does it all.
    """
    now = time.time_ns() // 1000
    ends = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _KEPT
    moment = Moment(intervals, devices.network(), memory, now)
    outcome = watch(
        devices.devices(),
        moment,
        lambda names: uplinks.look(names, now, lambda: time.monotonic() < ends),
    )
    told = message(outcome, moment.network, deployment)
    if told is not None:
        _sns.publish(TopicArn=os.environ[TOPIC_VARIABLE], Subject=told.subject, Message=told.text)
    devices.write(outcome, moment.network)
    _cloudwatch.put_metric_data(
        Namespace=deployment.metric_namespace,
        MetricData=[{"MetricName": SILENT_DEVICES, "Value": outcome.silent, "Unit": "Count"}],
    )
