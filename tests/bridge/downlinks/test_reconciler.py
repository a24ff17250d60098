"""A downlink that its network server lost without a word ends, and no other does."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bridge.config import Downlinks
from bridge.downlinks.reconciler import JOINED, REFUSED
from bridge.messages.downlink import Answer, Downlink
from bridge.spool.waiting import Share
from contract.downlinks import Request, State, build_request
from tests.bridge.downlinks.setting import SECOND, TOPIC, Server, Setting, request, setting

SUBMITTED = ("accepted", "submitted")
QUEUED, GONE, SILENT = True, False, None


class Asked(Server):
    """A network server that notes of which downlinks it is asked, and answers in turn.

    The last answer is that to all further questions.
    """

    def __init__(self, *answers: bool | None) -> None:
        super().__init__(queued=self._answer)
        self.asked: list[str] = []
        self._answers = list(answers)
        self.meanwhile: Callable[[], None] = lambda: None

    def _answer(self, downlink: Downlink) -> bool | None:
        self.asked.append(downlink.id)
        self.meanwhile()
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


async def after(made: Setting, *seconds: float) -> None:
    """Look once after each of these times."""
    for each in seconds:
        made.now += int(each * SECOND)
        await made.reconciler.look()


def reasons(made: Setting) -> list[str]:
    """Return the reasons of the events on disk that have one."""
    messages = made.spool.read(0, 10**9, Share(0, 1)).messages
    found = [json.loads(each.payload).get("reason") for each in messages]
    return [each for each in found if each]


async def test_what_the_server_refused_has_failed(path: Path) -> None:
    """It is asked after 15 s and 10 s later, and the next downlink of the device goes."""
    server = Asked(GONE)
    async with setting(path, server) as made:
        made.ask(request())
        await made.until(*SUBMITTED)
        made.ask(request("next"))
        await after(made, 0, 14)
        assert server.asked == []
        await after(made, 1, 9)
        assert server.asked == ["a"]
        await made.until(*SUBMITTED, "accepted")
        await after(made, 1)
        await made.until(*SUBMITTED, "accepted", "failed", "submitted")
        assert reasons(made) == [REFUSED]
        await after(made, 5)
        assert server.asked == ["a", "a"]


async def test_what_a_join_emptied_has_failed_for_that(path: Path) -> None:
    """It is asked about at once, and again 10 s later, however often the device joins."""
    server = Asked(GONE)
    async with setting(path, server) as made:
        made.ask(request())
        await made.until(*SUBMITTED)
        made.reconciler.joined("d1")
        await after(made, 0)
        made.reconciler.joined("d1")
        await after(made, 9)
        assert server.asked == ["a"]
        await after(made, 1)
        await made.until(*SUBMITTED, "failed")
        assert reasons(made) == [JOINED]


async def test_a_join_before_it_was_submitted_is_not_the_reason(path: Path) -> None:
    """Nor is that of another device; nothing is asked sooner for them."""
    server = Asked(GONE)
    async with setting(path, server) as made:
        made.reconciler.joined("d1")
        made.ask(request())
        await made.until(*SUBMITTED)
        made.reconciler.joined("d2")
        await after(made, 0)
        assert server.asked == []
        await after(made, 15, 10)
        await made.until(*SUBMITTED, "failed")
        assert reasons(made) == [REFUSED]


async def test_a_join_while_the_server_is_asked(path: Path) -> None:
    """It is asked again at once: its answer may be from before."""
    server = Asked(QUEUED, GONE)
    async with setting(path, server) as made:
        made.ask(request())
        await made.until(*SUBMITTED)
        server.meanwhile = lambda: _join_once(made, server)
        await after(made, 15, 0, 10)
        await made.until(*SUBMITTED, "failed")
        assert server.asked == ["a"] * 3
        assert reasons(made) == [JOINED]


def _join_once(made: Setting, server: Asked) -> None:
    server.meanwhile = lambda: None
    made.reconciler.joined("d1")


async def test_what_is_queued_is_asked_about_each_minute(path: Path) -> None:
    """For as long as it is open, and it does not end."""
    server = Asked(QUEUED)
    async with setting(path, server) as made:
        made.ask(request())
        await made.until(*SUBMITTED)
        await after(made, 15, 59)
        assert len(server.asked) == 1
        await after(made, 1, *[60] * 9)
        assert len(server.asked) == 11
        await made.until(*SUBMITTED)


@pytest.mark.parametrize("answers", [(GONE, QUEUED, GONE), (GONE, SILENT, GONE)])
async def test_missing_once_is_not_enough(path: Path, answers: Sequence[bool | None]) -> None:
    """Only two answers in a row count."""
    server = Asked(*answers)
    async with setting(path, server) as made:
        made.ask(request())
        await made.until(*SUBMITTED)
        await after(made, 15, 10, 60)
        assert len(server.asked) == 3
        await made.until(*SUBMITTED)
        await after(made, 10)
        await made.until(*SUBMITTED, "failed")


async def test_an_answer_between_two_questions(path: Path) -> None:
    """It was on its way when the downlink had just left the queue: no second question is asked."""
    server = Asked(GONE)
    async with setting(path, server) as made:
        made.ask(build_request(Request("a", 10, b"", confirmed=True)))
        await made.until(*SUBMITTED)
        await after(made, 15)
        made.dispatcher.answered(Answer(State.SENT, "d1", "1"))
        await after(made, *[10] * 60)
        await made.until(*SUBMITTED, "sent")
        assert server.asked == ["a"]


async def test_an_answer_while_the_server_is_asked(path: Path) -> None:
    """What it tells counts, and not that the downlink is no longer there."""
    server = Asked(GONE)
    async with setting(path, server) as made:
        made.ask(request())
        await made.until(*SUBMITTED)
        await after(made, 15)
        server.meanwhile = lambda: made.dispatcher.answered(Answer(State.SENT, "d1", "1"))
        await after(made, 10, 60)
        await made.until(*SUBMITTED, "sent")
        assert server.asked == ["a", "a"]


async def test_a_server_that_cannot_tell(path: Path) -> None:
    """It is asked once a minute, after a join too, and the downlink waits for its deadline."""
    server = Asked(SILENT)
    async with setting(path, server) as made:
        made.ask(request(expires=made.now + 600 * SECOND))
        await made.until(*SUBMITTED)
        made.reconciler.joined("d1")
        await after(made, *[5] * 120)
        assert len(server.asked) == 10
        await made.until(*SUBMITTED)
        made.now += 60 * SECOND
        await made.until(*SUBMITTED, "unknown")
        await after(made, 60)
        assert len(server.asked) == 10


async def test_after_a_restart_open_ones_are_asked_about_at_once(path: Path) -> None:
    """What was submitted long ago has no 15 s to wait."""
    async with setting(path, Server()) as made:
        made.ask(request())
        await made.until(*SUBMITTED)
    server = Asked(GONE)
    async with setting(path, server) as made:
        made.now += 3600 * SECOND
        await after(made, 0)
        assert server.asked == ["a"]
        await after(made, 10)
        await made.until(*SUBMITTED, "failed")


async def test_a_device_whose_server_is_gone_from_the_configuration(path: Path) -> None:
    """Nobody is asked, and the downlink stays as it is."""
    async with setting(path, Server()) as made:
        made.ask(request())
        await made.until(*SUBMITTED)
        made.dispatcher.connect([])
        await after(made, 15, 10, 60)
        await made.until(*SUBMITTED)


async def test_many_are_asked_about_little_by_little(path: Path) -> None:
    """No more than 50 each second; those that have waited longest come first."""
    server = Asked(QUEUED)
    async with setting(path, server, Downlinks(in_order=False)) as made:
        names = [f"n{number}" for number in range(120)]
        for name in names:
            made.ask(request(name))
        await made.until(*["accepted"] * 120, *["submitted"] * 120)
        await after(made, 15)
        assert server.asked == names[:50]
        await after(made, 1, 1, 1)
        assert server.asked == names


async def test_a_question_that_breaks(path: Path) -> None:
    """The others are asked about all the same, and it is later."""
    server = Asked(QUEUED)
    async with setting(path, server) as made:
        made.ask(request("a"))
        made.ask(request("b"), TOPIC.replace("d1", "d2"))
        await made.until(*["accepted"] * 2, *["submitted"] * 2)
        server.meanwhile = lambda: _break_once(server)
        with pytest.raises(OSError, match="broken"):
            await after(made, 15)
        await after(made, 0, 60)
        assert server.asked == ["a", "b", "a", "b"]


def _break_once(server: Asked) -> None:
    server.meanwhile = lambda: None
    raise OSError("broken")
