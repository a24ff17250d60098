"""It acknowledges what is on disk, hands over once, and tells each step, whatever fails."""

import asyncio
import json
import sqlite3
import time
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from bridge.config import Downlinks
from bridge.messages.downlink import Answer, Downlink
from bridge.sources.source import NotTakenError
from bridge.spool import downlinks
from bridge.spool.batch import Batch
from bridge.spool.spool import Spool
from contract.downlinks import State
from tests.bridge.downlinks.setting import SECOND, Server, killed_in_hand_over, request, setting


async def test_acknowledged_when_on_disk(path: Path) -> None:
    """Not before the commit, and handed over after it."""
    server = Server()
    async with setting(path, server) as made:
        made.ask(request())
        assert (made.acknowledged, server.given) == (0, [])
        await made.until("accepted", "submitted")
        assert made.acknowledged == 1
        (given,) = server.given
        assert (given.handing, given.attempt, given.reference) == (True, 1, "1")


async def test_a_state_is_published_when_it_is_on_disk(path: Path) -> None:
    """Not before: after a kill in between the downlink may come to another end."""
    async with setting(path, Server()) as made:
        made.ask(request())
        await made.until("accepted", "submitted")
        made.dispatcher.answered(Answer(State.SENT, "d1", "1"))
        await made.until("accepted", "submitted", "sent")
        assert made.offered == [("lora/a1/d1/event/downlink", True)] * 3


async def test_a_state_and_its_event_are_in_one_commit(path: Path) -> None:
    """A kill between two commits left a downlink that had ended without a word."""
    async with setting(path, Server()) as made:
        made.ask(request())
        await made.until("accepted", "submitted")
        with patch.object(made.spool, "commit", wraps=made.spool.commit) as commit:
            await made.spooler.committed()
            made.spooler.claim("a", "b")  # is to be committed in some milliseconds
            time.sleep(0.02)  # noqa: ASYNC251  # it is overdue: what comes next brings it about
            made.dispatcher.answered(Answer(State.SENT, "d1", "1"))
            await made.until("accepted", "submitted", "sent")
    batches: list[Batch] = [call.args[0] for call in commit.call_args_list]
    (written,) = (batch for batch in batches if batch.downlinks)
    assert [each.state for each in written.downlinks.values()] == [State.SENT]
    assert [json.loads(each.payload)["state"] for each in written.arrived] == ["sent"]


async def test_what_was_being_handed_over_is_not_handed_over_again(path: Path) -> None:
    """After a kill between the commit and the answer it is unknown."""
    await killed_in_hand_over(path, request())
    second = Server()
    async with setting(path, second) as made:
        made.ask(request())
        await made.until("accepted", "unknown")
    assert second.given == []


@pytest.mark.parametrize(("settle", "then"), [(3600, "unknown"), (0.01, "submitted")])
async def test_what_bridges_share_is_written_by_one(path: Path, settle: float, then: str) -> None:
    """After a kill a bridge gives what waited to nobody, unless AWS IoT has its PUBACK for sure.

    Otherwise another bridge may have it, too.
    """
    shared = Downlinks(share="pair")
    async with setting(path, Server(open=False), shared, settle) as made:
        made.ask(request())
        await made.until("accepted")
        if then == "submitted":
            async with asyncio.timeout(10):
                while made.spool.look(downlinks.still_open)[0].handing:
                    await asyncio.sleep(0.01)
    server = Server()
    async with setting(path, server, shared) as made:
        await made.until("accepted", then)
    assert len(server.given) == (then == "submitted")


async def test_what_was_accepted_goes_on_after_a_restart(path: Path) -> None:
    """Once there is a network server for it."""
    async with setting(path, Server(open=False)) as made:
        made.ask(request())
        await made.until("accepted")
    server = Server()
    async with setting(path, server) as made:
        await made.until("accepted", "submitted")
    assert len(server.given) == 1


async def test_what_was_submitted_is_not_handed_over_again(path: Path) -> None:
    """Users saw servers of class C say nothing for hours: it waits, and is written once.

    After a restart its answer is understood.
    """
    first, second = Server(), Server()
    async with setting(path, first) as made:
        made.ask(request())
        await made.until("accepted", "submitted")
        made.now += 3600 * SECOND
        made.ask(request("other"), "lora/a1/d2/down")
        await made.until("accepted", "submitted", "accepted", "submitted")
    async with setting(path, second) as made:
        made.dispatcher.answered(Answer(State.SENT, "d1", "1"))
        await made.until("accepted", "submitted", "accepted", "submitted", "sent")
        assert made.events()[-1] == ("a", "sent")
    assert [each.id for each in first.given] == ["a", "other"]
    assert second.given == []


async def test_a_network_server_that_never_takes_it(path: Path) -> None:
    """Users saw one that cannot be sent tried without end: here until it expires, and no longer."""
    server = Server(hand=lambda _downlink: False)
    async with setting(path, server) as made:
        made.ask(request(expires=made.now + 60 * SECOND))
        async with asyncio.timeout(10):
            while len(server.given) < 3:
                await asyncio.sleep(0.01)
        made.now += 60 * SECOND
        await made.until("accepted", "expired")
    assert [each.attempt for each in server.given] == [*range(1, len(server.given) + 1)]


async def test_a_network_server_that_was_away(path: Path) -> None:
    """What was certainly not given is tried again, and its attempts are counted."""
    answers = iter([False, True])
    server = Server(hand=lambda _downlink: next(answers))
    async with setting(path, server) as made:
        made.ask(request())
        await made.until("accepted", "submitted")
    assert [each.attempt for each in server.given] == [1, 2]


async def test_a_network_server_that_refuses(path: Path) -> None:
    """It fails with the reason, and the next one goes."""

    def hand(downlink: Downlink) -> bool:
        if downlink.id == "a":
            raise NotTakenError("too long for the data rate")
        return True

    server = Server(hand=hand)
    async with setting(path, server) as made:
        made.ask(request("a"))
        made.ask(request("b"))
        await made.until("accepted", "accepted", "failed", "submitted")


async def test_a_hand_over_that_breaks_is_unknown(path: Path) -> None:
    """Whatever it is, it may have been written."""

    def hand(_downlink: Downlink) -> bool:
        raise OSError("broken pipe")

    async with setting(path, Server(hand=hand)) as made:
        made.ask(request())
        await made.until("accepted", "unknown")


async def test_a_disk_that_fails_leaves_the_request_to_aws(path: Path) -> None:
    """It is not acknowledged until it is on disk, also when it comes again; then handed over."""
    server = Server()
    async with setting(path, server) as made:
        with _failing(made.spool, "disk I/O error"):
            made.ask(request())
            await made.until_failing()
            made.ask(request())  # on another connection, perhaps
            assert (made.acknowledged, server.given) == (0, [])
        await made.until("accepted", "submitted")
        assert made.acknowledged == 2


async def test_an_answer_that_comes_again_waits_for_the_disk_as_well(path: Path) -> None:
    """ChirpStack's broker forgets it when either of the two is acknowledged."""
    received: list[int] = []
    async with setting(path, Server()) as made:
        made.ask(request())
        await made.until("accepted", "submitted")
        with _failing(made.spool, "disk I/O error"):
            for number in range(2):
                answer = Answer(State.SENT, "d1", "1")
                made.dispatcher.answered(answer, partial(received.append, number))
            await made.until_failing()
            assert received == []
        async with asyncio.timeout(10):
            while received != [0, 1]:
                await asyncio.sleep(0.01)


async def test_what_expires_while_the_disk_is_full_is_never_written(path: Path) -> None:
    """Users saw old commands carried out hours later: that it may be written waits for the disk."""
    server = Server(open=False)
    async with setting(path, server) as made:
        made.ask(request(expires=made.now + 60 * SECOND))
        await made.until("accepted")
        with _failing(made.spool, "database or disk is full"):
            server.open = True
            await made.until_failing()
            made.now += 3600 * SECOND
        await made.until("accepted", "expired")
    assert server.given == []


async def test_what_has_expired_a_moment_ago_is_never_written(path: Path) -> None:
    """Where the one before it is answered before anybody has looked at the time."""
    server = Server()
    async with setting(path, server) as made:
        made.ask(request("a"))
        made.ask(request("b", expires=made.now + 10 * SECOND))
        await made.until("accepted", "accepted", "submitted")
        made.now += 11 * SECOND
        made.dispatcher.answered(Answer(State.SENT, "d1", "1"))
        await made.until("accepted", "accepted", "submitted", "sent", "expired")
    assert [each.id for each in server.given] == ["a"]


async def test_what_ends_together_with_the_one_before_ends_once(path: Path) -> None:
    """The end of the one before would let it go, but its own time is over as well."""
    server = Server()
    async with setting(path, server) as made:
        made.ask(request("a"))
        made.ask(request("b", expires=made.now + 10 * SECOND))
        await made.until("accepted", "accepted", "submitted")
        made.now += 100_000 * SECOND
        await made.until("accepted", "accepted", "submitted", "unknown", "expired")
        made.ask(request("c"))
        await made.until(
            *("accepted", "accepted", "submitted", "unknown", "expired", "accepted", "submitted")
        )
    assert [each.id for each in server.given] == ["a", "c"]


def _failing(spool: Spool, problem: str) -> AbstractContextManager[object]:
    """Let no commit succeed."""
    return patch.object(spool, "commit", side_effect=sqlite3.OperationalError(problem))
