"""What a network server tells of downlinks is told of the right one, once, however late."""

import asyncio
from pathlib import Path

import pytest

from bridge.config import Downlinks
from bridge.messages.downlink import Answer, Downlink
from bridge.sources.source import NotTakenError
from contract.downlinks import Request, State, build_request
from tests.bridge.downlinks.setting import (
    SECOND,
    Server,
    Setting,
    killed_in_hand_over,
    request,
    setting,
)


@pytest.mark.parametrize("answered", [True, False])
async def test_an_acknowledgement_is_never_taken_for_the_next_one(
    path: Path, *, answered: bool
) -> None:
    """Users saw a confirmation without a name that was of another downlink than they thought.

    After a kill it may be of the one that is unknown. The next one waits for it, but for a minute
    at most.
    """
    await killed_in_hand_over(path, build_request(Request("a", 10, b"", confirmed=True)))
    second = Server()
    async with setting(path, second) as made:
        made.ask(build_request(Request("b", 10, b"", confirmed=True)))
        await made.until("accepted", "unknown", "accepted")
        if answered:
            made.dispatcher.answered(Answer(State.ACKNOWLEDGED, "d1"))
            await made.until("accepted", "unknown", "accepted", "acknowledged", "submitted")
        else:
            made.now += 60 * SECOND
            await made.until("accepted", "unknown", "accepted", "submitted")
            made.dispatcher.answered(Answer(State.ACKNOWLEDGED, "d1"))
            await made.until("accepted", "unknown", "accepted", "submitted", "acknowledged")
        assert ("b", "acknowledged") not in made.events()
        assert made.events()[-2:].count(("a", "acknowledged")) == 1
        made.dispatcher.answered(Answer(State.SENT, "d1", second.given[0].reference))
        made.dispatcher.answered(Answer(State.ACKNOWLEDGED, "d1"))
        async with asyncio.timeout(10):
            while made.events()[-2:] != [("b", "sent"), ("b", "acknowledged")]:
                await asyncio.sleep(0.01)


async def test_a_server_that_names_what_it_tells_of_holds_nothing_up(path: Path) -> None:
    """Its answers are understood, whichever comes first."""
    await killed_in_hand_over(path, build_request(Request("a", 10, b"", confirmed=True)))
    second = Server(names_acknowledged=True)
    async with setting(path, second) as made:
        made.ask(build_request(Request("b", 10, b"", confirmed=True)))
        await made.until("accepted", "unknown", "accepted", "submitted")


async def test_late_answers_are_understood_after_a_restart(path: Path) -> None:
    """Users missed states of before a restart: by its reference and without, each told once.

    A reference is not given again as long as such an answer may come.
    """
    async with setting(path, Server()) as made:
        made.ask(build_request(Request("a", 10, b"", confirmed=True)))
        await made.until("accepted", "submitted")
        made.now += 200_000 * SECOND
        await made.until("accepted", "submitted", "unknown")
    server = Server(hand=lambda _downlink: False)
    async with setting(path, server) as made:
        for _ in range(2):
            made.dispatcher.answered(Answer(State.SENT, "d1", "1"))
            made.dispatcher.answered(Answer(State.ACKNOWLEDGED, "d1"))
        made.ask(request("b"))
        await made.until(*("accepted", "submitted", "unknown", "sent", "acknowledged", "accepted"))
        assert [name for name, _ in made.events()] == [*["a"] * 5, "b"]
        async with asyncio.timeout(10):
            while not server.given:
                await asyncio.sleep(0.01)
        assert server.given[0].reference == "2"


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_is_told_late_opens_nothing_again(path: Path, *, restarted: bool) -> None:
    """Users saw the next downlink held up for an hour by one that had ended.

    What ended has one end, and what comes after is late, too, whether it names a downlink or not.
    """
    states = ["accepted", "submitted", "unknown", "sent", "accepted", "submitted"]
    server = Server()
    async with setting(path, server) as made:
        made.ask(build_request(Request("a", 10, b"", confirmed=True)))
        await made.until(*states[:2])
        made.now += 200_000 * SECOND
        await made.until(*states[:3])
        made.now += 60 * SECOND
        made.dispatcher.answered(Answer(State.SENT, "d1", "1"))
        await made.until(*states[:4])
        assert len(made.dispatcher) == 0
        now = made.now
        if not restarted:
            await _go_on(made, states)
    if restarted:
        async with setting(path, server) as made:
            made.now = now
            assert len(made.dispatcher) == 0
            await _go_on(made, states)
    assert [each.id for each in server.given] == ["a", "b"]


async def _go_on(made: Setting, states: list[str]) -> None:
    """Ask for the next one; both are acknowledged, the first one late."""
    made.ask(build_request(Request("b", 10, b"", confirmed=True)))
    await made.until(*states)
    late = made.counts.downlinks["late"]
    made.dispatcher.answered(Answer(State.ACKNOWLEDGED, "d1"))
    await made.until(*states, "acknowledged")
    assert made.events()[-1] == ("a", "acknowledged")
    assert made.counts.downlinks["late"] == late + 1
    made.dispatcher.answered(Answer(State.SENT, "d1", "2"))
    made.dispatcher.answered(Answer(State.ACKNOWLEDGED, "d1"))
    await made.until(*states, "acknowledged", "sent", "acknowledged")
    assert made.events()[-1] == ("b", "acknowledged")
    assert made.counts.downlinks["late"] == late + 1
    assert len(made.dispatcher) == 0


async def test_what_was_acknowledged_late_holds_nothing_up_after_a_restart(path: Path) -> None:
    """As before the restart; nor is it told again."""
    states = ["accepted", "submitted", "unknown", "acknowledged"]
    async with setting(path, Server()) as made:
        made.ask(build_request(Request("a", 10, b"", confirmed=True)))
        await made.until(*states[:2])
        made.now += 200_000 * SECOND
        await made.until(*states[:3])
        made.dispatcher.answered(Answer(State.ACKNOWLEDGED, "d1"))
        await made.until(*states)
        now = made.now
    async with setting(path, Server()) as made:
        made.now = now
        made.dispatcher.answered(Answer(State.ACKNOWLEDGED, "d1"))
        made.ask(build_request(Request("b", 10, b"", confirmed=True)))
        await made.until(*states, "accepted", "submitted")


async def test_repeated_answers_are_told_once(path: Path) -> None:
    """Network servers repeat themselves, also about what has ended."""
    async with setting(path, Server()) as made:
        made.ask(build_request(Request("a", 10, b"", confirmed=True)))
        await made.until("accepted", "submitted")
        for state, reference in ((State.SENT, "1"), (State.ACKNOWLEDGED, None)):
            for _ in range(3):
                made.dispatcher.answered(Answer(state, "d1", reference))
        made.ask(request("b"))
        await made.until(
            *("accepted", "submitted", "sent", "acknowledged", "accepted", "submitted")
        )


async def test_answers_are_told_of_whom_they_name(path: Path) -> None:
    """Users saw network servers change the order: not of the one that was submitted first."""
    async with setting(path, Server(), Downlinks(in_order=False)) as made:
        for name in ("a", "b", "c"):
            made.ask(request(name))
        await made.until(*["accepted"] * 3, *["submitted"] * 3)
        for reference in ("3", "1", "2"):
            made.dispatcher.answered(Answer(State.SENT, "d1", reference))
        await made.until(*["accepted"] * 3, *["submitted"] * 3, *["sent"] * 3)
        assert [name for name, _ in made.events()[-3:]] == ["c", "a", "b"]


async def test_an_answer_may_come_before_the_hand_over_is_noted(path: Path) -> None:
    """It is not taken back afterwards."""
    async with setting(path, Server()) as made:

        def hand(downlink: Downlink) -> bool:
            made.dispatcher.answered(Answer(State.SENT, "d1", downlink.reference))
            return True

        server = Server(hand=hand)
        made.dispatcher.connect([server])
        made.ask(request())
        await made.until("accepted", "sent")


@pytest.mark.parametrize("error", [OSError("broken pipe"), NotTakenError("too long"), None])
async def test_an_answer_is_an_end_whatever_becomes_of_the_hand_over(
    path: Path, error: Exception | None
) -> None:
    """It has no second one, and is not tried again."""
    async with setting(path, Server()) as made:

        def hand(downlink: Downlink) -> bool:
            made.dispatcher.answered(Answer(State.SENT, "d1", downlink.reference))
            if error is not None:
                raise error
            return False

        server = Server(hand=hand)
        made.dispatcher.connect([server])
        made.ask(request("a"))
        made.ask(request("b"))
        await made.until("accepted", "accepted", "sent", "sent")
    assert [each.id for each in server.given] == ["a", "b"]
