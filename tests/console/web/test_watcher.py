"""The thread that looks at devices goes on, whatever becomes of them."""

import boto3
import pytest

from console.web.watcher import Watcher
from contract.device_list import KIND_KEY, kind_of
from contract.silence import Intervals
from lab.aws.bare_store import BareStore
from lab.soak.site import wait_until
from tests.console.web.rows import APPLICATION, MINUTE, now, uplinks

pytestmark = [pytest.mark.aws, pytest.mark.browser]  # the local AWS of the tests beside it

LIMIT = 20.0  # seconds


def test_a_device_that_is_taken_off_the_list(store: BareStore) -> None:
    """It is forgotten, and the others are still looked at."""
    store.put([*uplinks("1", now() - MINUTE), *uplinks("2", now() - MINUTE)])
    ahead = 0
    with Watcher((store.uplinks, store.devices), Intervals(), lambda: now() + ahead) as watcher:
        wait_until(lambda: watcher.ask().count == 2, LIMIT, "both to be looked at")
        gone = f"{APPLICATION}/1"
        boto3.client("dynamodb").delete_item(
            TableName=store.devices,
            Key={KIND_KEY: {"S": kind_of(gone)}, "device": {"S": gone}},
        )
        ahead = 20 * MINUTE
        wait_until(lambda: watcher.ask().count == 1, LIMIT, "one to be forgotten")
        wait_until(
            lambda: watcher.ask().since(0).looks[0].looked > now(),
            LIMIT,
            "the other to be looked at again",
        )
        assert watcher.known.since(0).looks[0].device == f"{APPLICATION}/2"
        assert not watcher.problem
