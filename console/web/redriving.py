"""A redrive as a page follows it: what became of how many, and why the others are left."""

import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing

from botocore.exceptions import ClientError

from console.deployment import aws_errors
from console.recovery.error_queue import ErrorQueue, deployed_queue
from console.recovery.failures import Failure
from console.recovery.redrive import Store, deployed_store, hidden_by_others, store_failures
from console.web.job import Told
from contract.deployment import Deployment

_OFTEN = 0.5  # seconds between two counts
_NAMED = 200  # messages that are left, with their reasons


def redrive(deployment: Deployment, ended: Callable[[], bool]) -> Generator[Told, None, None]:
    """Store what is in the error queue, until all of it was tried or this has ``ended``.

    Raises:
        BridgeError: AWS refuses or does not answer. What is not stored is still in the queue.

    """
    with aws_errors():
        yield from through(deployed_queue(deployment), deployed_store(deployment), ended)


def through(
    queue: ErrorQueue, store: Store, ended: Callable[[], bool]
) -> Generator[Told, None, None]:
    """Go through a queue; tell ``count`` now and then, ``left`` with a reason, ``done`` at last."""
    before = queue.depth()
    counts = Counter[str]()
    told = time.monotonic()
    try:
        with closing(store_failures(queue, store, ended)) as results:
            for failure, reason in results:
                counts["redriven" if reason is None else "left"] += 1
                if reason is not None and counts["left"] <= _NAMED:
                    yield "left", _named(failure, reason)
                if time.monotonic() > told + _OFTEN:
                    told = time.monotonic()
                    yield "count", _counted(counts) | {"of": before.waiting}
    except ClientError:
        yield "count", _counted(counts) | {"of": before.waiting}
        raise
    hidden = hidden_by_others(before, queue.depth())
    yield "done", _counted(counts) | {"hidden": hidden, "all": not ended()}


def _counted(counts: Counter[str]) -> dict[str, object]:
    return {name: counts[name] for name in ("redriven", "left")}


def _named(failure: Failure, reason: str) -> dict[str, object]:
    return {"id": failure.id, "device": failure.device, "reason": reason}
