"""Events wait in bounds, keep their order, and are settled before a stop."""

import asyncio
import threading

import pytest

from bridge.mqtt.client import Delivery
from bridge.sources.chirpstack.inbox import Inbox

_LIMIT = 10.0  # seconds


def delivery(number: int) -> Delivery:
    """Return an event that wants no acknowledgement."""
    return Delivery(str(number), b"", retained=False, acknowledge=None)


def put(inbox: Inbox, count: int) -> threading.Thread:
    """Put events from a thread of their own, as the SDK does."""

    def run() -> None:
        for number in range(count):
            inbox.put(delivery(number))

    thread = threading.Thread(target=run)
    thread.start()
    return thread


async def test_events_come_in_the_order_of_their_arrival() -> None:
    """However many there are, and from another thread."""
    given: list[str] = []
    complete = asyncio.Event()

    def give(each: Delivery) -> None:
        given.append(each.topic)
        if len(given) == 5000:
            complete.set()

    thread = put(Inbox(give), 5000)
    await asyncio.wait_for(complete.wait(), _LIMIT)
    await asyncio.to_thread(thread.join)
    assert given == [str(number) for number in range(5000)]


async def test_no_more_is_taken_than_there_is_room_for() -> None:
    """Whoever brings more waits until half of what is owed has been acknowledged."""
    acknowledged: list[str] = []
    receipts = []
    full = asyncio.Event()

    def give(each: Delivery) -> None:
        receipts.append(inbox.receipt(lambda: acknowledged.append(each.topic)))
        if len(receipts) == 1000:
            full.set()

    inbox = Inbox(give)
    thread = put(inbox, 1500)
    await asyncio.wait_for(full.wait(), _LIMIT)
    await asyncio.sleep(0.05)
    assert len(receipts) == 1000
    for receipt in receipts[:600]:
        receipt()
    async with asyncio.timeout(_LIMIT):
        while len(receipts) < 1500:
            await asyncio.sleep(0.01)
    await asyncio.to_thread(thread.join)
    assert acknowledged == [str(number) for number in range(600)]


async def test_nothing_is_given_in_a_pause() -> None:
    """What arrives meanwhile is given when it is over."""
    given: list[str] = []
    inbox = Inbox(lambda each: given.append(each.topic))
    inbox.pause()
    await asyncio.to_thread(put(inbox, 3).join)
    await asyncio.sleep(0.02)
    assert given == []
    inbox.resume()
    assert given == ["0", "1", "2"]


async def test_a_close_waits_for_what_is_owed_and_gives_nothing_more() -> None:
    """Who brings more then is not held up."""
    receipts = []
    inbox = Inbox(lambda _each: receipts.append(inbox.receipt(lambda: None)))
    await asyncio.to_thread(put(inbox, 1).join)
    async with asyncio.timeout(_LIMIT):
        while not receipts:
            await asyncio.sleep(0.01)
    closing = asyncio.ensure_future(inbox.close())
    await asyncio.sleep(0)
    await asyncio.to_thread(put(inbox, 3000).join)
    assert not closing.done()
    (receipt,) = receipts
    receipt()
    await asyncio.wait_for(closing, _LIMIT)
    assert len(receipts) == 1


async def test_an_event_that_cannot_be_taken_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is said; without its acknowledgement it comes again."""
    given: list[str] = []

    def give(each: Delivery) -> None:
        if each.topic == "0":
            raise ValueError("no")
        given.append(each.topic)

    await asyncio.to_thread(put(Inbox(give), 2).join)
    async with asyncio.timeout(_LIMIT):
        while not given:
            await asyncio.sleep(0.01)
    assert given == ["1"]
    assert "an event is not taken: no: it comes again" in caplog.text
