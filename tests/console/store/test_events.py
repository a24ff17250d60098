"""Events as they are heard."""

import json
from queue import SimpleQueue

import pytest

from console.store.events import HeardEvents
from console.store.live import rows_heard
from console.store.shown import Shown
from console.store.subscription import Change, Heard
from contract.deployment import UNNAMED, Deployment
from contract.names import EventType
from contract.rows import Row

TOPIC = "lora/a/d/event/join"
T1, T2 = "2026-11-22T10:00:00.000000Z", "2026-11-22T10:00:01.000000Z"


def message(timestamp: str) -> bytes:
    """Return the payload of an event."""
    return json.dumps({"type": "join", "timestamp": timestamp, "source": "semtech"}).encode()


@pytest.mark.parametrize(
    ("name", "kind", "topic"),
    [("", None, "lora/a/d/event/+"), ("west", EventType.JOIN, "lora-west/a/d/event/join")],
)
def test_what_is_subscribed_to(name: str, kind: EventType | None, topic: str) -> None:
    """All events of the device, or those of one type, of the deployment."""
    assert HeardEvents(Deployment(name), "a/d", kind).topics == (topic,)


def test_events_come_at_once_and_gaps_are_filled() -> None:
    """An event is shown as it is heard; one that was stored meanwhile follows, and none twice."""
    stored: list[Row] = [
        {"device": "a/d", "timestamp": timestamp, "type": "join", "source": "semtech"}
        for timestamp in (T1, T2)
    ]
    queue: SimpleQueue[Heard] = SimpleQueue()
    for each in ((TOPIC, message(T1)), Change.LOST, (TOPIC, b"["), Change.MADE):
        queue.put(each)
    making = HeardEvents(UNNAMED, "a/d", None)
    rows = list(rows_heard(queue, making, Shown(), lambda _since: stored, queue.empty))
    assert rows == stored
