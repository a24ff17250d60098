"""Every request is acknowledged; what is wrong, repeated or for nobody does no harm."""

import asyncio
import logging
from pathlib import Path

import pytest

from bridge.downlinks import store as stores
from bridge.messages.downlink import Answer
from bridge.spool import downlinks, rejected
from bridge.spool.waiting import Share
from contract.downlinks import State
from tests.bridge.downlinks.setting import SECOND, TOPIC, Server, request, setting


async def test_a_repeated_request_is_acknowledged_and_no_more(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Before its commit, after it, and after its end; it is said, but not each time."""
    caplog.set_level(logging.INFO)
    server = Server()
    async with setting(path, server) as made:
        made.ask(request())
        made.ask(request())
        await made.until("accepted", "submitted")
        made.ask(request())
        made.dispatcher.answered(Answer(State.SENT, "d1", "1"))
        await made.until("accepted", "submitted", "sent")
        made.ask(request())
        assert made.acknowledged == 4
        assert made.counts.downlinks["repeated"] == 3
    assert caplog.text.count("request a to a1/d1 came again") == 1
    assert len(server.given) == 1


@pytest.mark.parametrize("expires", [0, 1])
async def test_what_has_expired_when_it_comes(path: Path, expires: int) -> None:
    """It is accepted, expires, and is handed to nobody."""
    server = Server()
    async with setting(path, server) as made:
        made.ask(request(expires=expires))
        await made.until("accepted", "expired")
    assert server.given == []


async def test_a_bad_request_without_an_id_is_kept_for_people(path: Path) -> None:
    """With its topic, and acknowledged when it is on disk."""
    async with setting(path, Server()) as made:
        made.ask(b"nonsense")
        async with asyncio.timeout(10):
            while not made.acknowledged:
                await asyncio.sleep(0.01)
        (kept,) = made.spool.on_file(rejected.listed)
        assert (kept.listener, kept.reason, kept.frame) == (
            *(TOPIC, "bad request for a downlink", "nonsense"),
        )


async def test_a_request_that_expires_in_thousands_of_years(path: Path) -> None:
    """It would be open for ever: it fails with the reason; a month is as far as it may."""
    server = Server()
    async with setting(path, server) as made:
        ahead = 31 * 86_400 * SECOND
        made.ask(request("a", expires=made.now + ahead + 1))
        made.ask(request("b", expires=made.now + ahead))
        made.ask(b'{"id":"c","port1_bytes":[],"expires":"9999-12-31T23:59:59Z"}')
        made.ask(request("b", expires=made.now + ahead + 1))
        await made.until("failed", "accepted", "failed", "submitted")
        assert made.acknowledged == 4


async def test_a_flood_of_bad_requests_makes_few_events(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are kept for people, so that uplinks have the rate; all are acknowledged."""
    async with setting(path, Server()) as made:
        for number in range(300):
            made.ask(b'{"id":"n%d","port300_bytes":[1]}' % number)
        async with asyncio.timeout(10):
            while made.acknowledged < 300:
                await asyncio.sleep(0.01)
        kept = [each.frame for each in made.spool.on_file(rejected.listed)]
        assert len(made.events()) == 100
        assert len(kept) == 200
        assert kept[0] == '{"id":"n100","port300_bytes":[1]}'
        assert made.counts.downlinks["bad"] == 300
        made.now += 10 * SECOND
        made.ask(b'{"id":"later","port300_bytes":[1]}')
        await made.until(*["failed"] * 101)
    said = "more than 10 bad requests for downlinks a second"
    assert sum(said in each.message for each in caplog.records) == 1


@pytest.mark.parametrize("topic", ["lora/a2/d1/down", "lora/a b/d1/down", "lora/a1//down"])
async def test_what_is_for_nobody_here_is_acknowledged(path: Path, topic: str) -> None:
    """Without a word, and without a trace on the disk."""
    async with setting(path, Server()) as made:
        made.ask(request(), topic)
        assert made.acknowledged == 1
        assert made.spool.look(downlinks.still_open) == []


async def test_a_device_is_one_in_whatever_case_it_is_written(path: Path) -> None:
    """As for uplinks."""
    async with setting(path, Server()) as made:
        made.ask(request(), "lora/A1/D1/down")
        await made.until("accepted", "submitted")
        messages = made.spool.read(0, 10**9, Share(0, 1)).messages
        assert {each.topic for each in messages} == {"lora/a1/d1/event/downlink"}


async def test_applications_beyond_those_that_are_remembered(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Their downlinks are left alone, which is said once."""
    async with setting(path, Server()) as made:
        for number in range(1_003):
            made.dispatcher.claim("server", f"b{number}")
        assert made.dispatcher.sender_of("b999/d1") is not None
        assert made.dispatcher.sender_of("b1000/d1") is None
    said = "uplinks of more than 1000 applications have come: no downlinks to b1000 and"
    assert [said in each.message for each in caplog.records] == [True]


async def test_ids_that_are_forgotten_early_are_said(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where more have ended than are remembered, the oldest are no longer known when they come."""
    monkeypatch.setattr(stores, "_MAX_REMEMBERED", 2)
    async with setting(path, Server()) as made:
        for name in ("a", "b", "c", "d"):
            made.ask(request(name, expires=1))
        await made.until(*["accepted", "expired"] * 4)
        made.now += 3601 * SECOND
        async with asyncio.timeout(10):
            while not caplog.records:
                await asyncio.sleep(0.01)
        for name in ("d", "a"):
            made.ask(request(name, expires=1))
        assert made.counts.downlinks["repeated"] == 1
    said = "2 ended downlinks are forgotten before 7 days: more than 2 are remembered"
    assert [each.message for each in caplog.records] == [said]
