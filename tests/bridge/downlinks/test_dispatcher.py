"""It acknowledges what is on disk, hands over once, and tells each step, whatever fails."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from bridge.clock import Clock
from bridge.config import Downlinks
from bridge.counts import Counts
from bridge.downlinks import store as stores
from bridge.downlinks.dispatcher import Dispatcher
from bridge.downlinks.intake import Intake
from bridge.downlinks.open_downlinks import OpenDownlinks
from bridge.downlinks.reconciler import Reconciler
from bridge.downlinks.store import Store
from bridge.messages.downlink import Answer, Downlink
from bridge.messages.message import Message
from bridge.messages.timestamper import Timestamper
from bridge.sources.source import NotTakenError
from bridge.spool import downlinks, rejected
from bridge.spool.batch import Batch
from bridge.spool.quarantine import Quarantine
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Share, Waiting
from bridge.timings import Timings
from contract.deployment import UNNAMED
from contract.downlinks import Request, State, build_request

_SECOND = 1_000_000
TOPIC = "lora/a1/d1/down"


@dataclass
class Server:
    """A network server that does as the test likes, and notes what it is given."""

    name: str = "server"
    names_acknowledged: bool = False
    open: bool = True
    hand: Callable[[Downlink], bool] = lambda _downlink: True
    queued: Callable[[Downlink], bool | None] = lambda _downlink: None
    given: list[Downlink] = field(default_factory=list)
    _last: int = 0

    def has(self, device: str) -> bool:
        """Have one application."""
        return device.startswith("a1/")

    def ready(self, application: str) -> bool:
        """Say whether it is connected."""
        return self.open and application == "a1"

    def reference(self, taken: Container[str]) -> str | None:
        """Count."""
        numbers = map(str, count(self._last + 1))
        reference = next(each for each in numbers if each not in taken)
        self._last = int(reference)
        return reference

    async def hand_over(self, downlink: Downlink) -> bool:
        """Note it."""
        self.given.append(downlink)
        return self.hand(downlink)

    async def is_queued(self, downlink: Downlink) -> bool | None:
        """Say what the test wants."""
        return self.queued(downlink)


class Setting:
    """A dispatcher over a spool on disk, whose clock stands still."""

    def __init__(
        self, spool: Spool, server: Server, settings: Downlinks, settle: float = 0.01
    ) -> None:
        self.now = 1_700_000_000 * _SECOND
        clock = Clock(wall=lambda: self.now, monotonic=lambda: self.now / _SECOND)
        self.counts = Counts()
        self.missed: list[str] = []
        self.spool = spool
        self.spooler = Spooler(spool, max_bytes=10**9)
        quarantine = Quarantine(spool, max_bytes=10**6, write_after=0.01)
        timestamper = Timestamper(spool.placements())
        store = Store(*(spool, self.spooler, quarantine, timestamper, UNNAMED), self.missed.append)
        open_downlinks = OpenDownlinks(in_order=settings.in_order, answers_within=60 * _SECOND)
        self.dispatcher = Dispatcher(open_downlinks, store, self.counts, clock)
        of_intake = (open_downlinks, store, self.counts, clock, settings, settle)
        self.intake = Intake(self.dispatcher, *of_intake)
        self.reconciler = Reconciler(
            *(open_downlinks, self.dispatcher.sender_of, self.dispatcher.answered, clock, Timings())
        )
        self.dispatcher.connect([server])
        self.spooler.connect(self, [])
        self.acknowledged = 0
        self.offered: list[tuple[str, bool]] = []

    def arrived(self, messages: list[Waiting]) -> None:
        """Publish nothing: all stays in the spool. Note what could be, and whether it is there."""
        there = {each.id for each in self.spool.read(0, 10**9, Share(0, 1)).messages}
        self.offered += [(each.topic, each.id in there) for each in messages]

    def ask(self, payload: bytes, topic: str = TOPIC) -> None:
        """Ask for a downlink."""
        self.intake.take(topic, payload, self._acknowledge)

    def _acknowledge(self) -> None:
        self.acknowledged += 1

    def events(self) -> list[tuple[str, str]]:
        """Return id and state of each event on disk, in order."""
        messages = self.spool.read(0, 10**9, Share(0, 1)).messages
        found = [json.loads(each.payload) for each in messages if "/event/" in each.topic]
        return [(each["id"], each["state"]) for each in found]

    async def until(self, *states: str) -> None:
        """Wait until the events of all downlinks are these."""
        async with asyncio.timeout(10):
            while [state for _, state in self.events()] != list(states):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def setting(
    path: Path, server: Server, settings: Downlinks | None = None, settle: float = 0.01
) -> AsyncIterator[Setting]:
    """Have a dispatcher at work."""
    with Spool(path) as spool:
        made = Setting(spool, server, settings or Downlinks(), settle)
        running = asyncio.create_task(made.dispatcher.run())
        yield made
        running.cancel()
        made.spooler.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name the spool."""
    return tmp_path / "spool.db"


def request(name: str = "a", expires: int | None = None) -> bytes:
    """Return a request."""
    return build_request(Request(name, 10, b"\x01", expires=expires))


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


async def test_what_was_being_handed_over_is_not_handed_over_again(path: Path) -> None:
    """After a kill between the commit and the answer it is unknown."""
    first, second = Server(hand=_hang), Server()
    async with setting(path, first) as made:
        made.ask(request())
        async with asyncio.timeout(10):
            while not first.given:
                await asyncio.sleep(0.01)
    async with setting(path, second) as made:
        made.ask(request())
        await made.until("accepted", "unknown")
    assert second.given == []


def _hang(_downlink: Downlink) -> NoReturn:
    raise asyncio.CancelledError  # as when the process ends there


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


@pytest.mark.parametrize("answered", [True, False])
async def test_an_acknowledgement_is_never_taken_for_the_next_one(
    path: Path, *, answered: bool
) -> None:
    """Users saw a confirmation without a name that was of another downlink than they thought.

    After a kill it may be of the one that is unknown. The next one waits for it, but for a minute
    at most.
    """
    first, second = Server(hand=_hang), Server()
    async with setting(path, first) as made:
        made.ask(build_request(Request("a", 10, b"", confirmed=True)))
        async with asyncio.timeout(10):
            while not first.given:
                await asyncio.sleep(0.01)
    async with setting(path, second) as made:
        made.ask(build_request(Request("b", 10, b"", confirmed=True)))
        await made.until("accepted", "unknown", "accepted")
        if answered:
            made.dispatcher.answered(Answer(State.ACKNOWLEDGED, "d1"))
            await made.until("accepted", "unknown", "accepted", "acknowledged", "submitted")
        else:
            made.now += 60 * _SECOND
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
    first, second = Server(hand=_hang), Server(names_acknowledged=True)
    async with setting(path, first) as made:
        made.ask(build_request(Request("a", 10, b"", confirmed=True)))
        async with asyncio.timeout(10):
            while not first.given:
                await asyncio.sleep(0.01)
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
        made.now += 200_000 * _SECOND
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
        made.now += 200_000 * _SECOND
        await made.until(*states[:3])
        made.now += 60 * _SECOND
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
        made.now += 200_000 * _SECOND
        await made.until(*states[:3])
        made.dispatcher.answered(Answer(State.ACKNOWLEDGED, "d1"))
        await made.until(*states)
        now = made.now
    async with setting(path, Server()) as made:
        made.now = now
        made.dispatcher.answered(Answer(State.ACKNOWLEDGED, "d1"))
        made.ask(build_request(Request("b", 10, b"", confirmed=True)))
        await made.until(*states, "accepted", "submitted")


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
        made.now += 3600 * _SECOND
        made.ask(request("other"), "lora/a1/d2/down")
        await made.until("accepted", "submitted", "accepted", "submitted")
    async with setting(path, second) as made:
        made.dispatcher.answered(Answer(State.SENT, "d1", "1"))
        await made.until("accepted", "submitted", "accepted", "submitted", "sent")
        assert made.events()[-1] == ("a", "sent")
    assert [each.id for each in first.given] == ["a", "other"]
    assert second.given == []


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


async def test_a_network_server_that_never_takes_it(path: Path) -> None:
    """Users saw one that cannot be sent tried without end: here until it expires, and no longer."""
    server = Server(hand=lambda _downlink: False)
    async with setting(path, server) as made:
        made.ask(request(expires=made.now + 60 * _SECOND))
        async with asyncio.timeout(10):
            while len(server.given) < 3:
                await asyncio.sleep(0.01)
        made.now += 60 * _SECOND
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


async def test_a_disk_that_fails_leaves_the_request_to_aws(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not acknowledged until it is on disk, and then handed over."""
    server = Server()
    async with setting(path, server) as made:
        commit = made.spool.commit
        failing = True

        def fails(batch: Batch) -> bool:
            if failing:
                raise sqlite3.OperationalError("disk I/O error")
            return commit(batch)

        monkeypatch.setattr(made.spool, "commit", fails)
        made.ask(request())
        async with asyncio.timeout(10):
            while made.spooler.problem is None:
                await asyncio.sleep(0.01)
        assert (made.acknowledged, server.given) == (0, [])
        failing = False
        await made.until("accepted", "submitted")
        assert made.acknowledged == 1


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


async def test_what_expires_while_the_disk_is_full_is_never_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users saw old commands carried out hours later: that it may be written waits for the disk."""
    server = Server(open=False)
    async with setting(path, server) as made:
        made.ask(request(expires=made.now + 60 * _SECOND))
        await made.until("accepted")
        commit = made.spool.commit
        full = True

        def fails(batch: Batch) -> bool:
            if full:
                raise sqlite3.OperationalError("database or disk is full")
            return commit(batch)

        monkeypatch.setattr(made.spool, "commit", fails)
        server.open = True
        async with asyncio.timeout(10):
            while made.spooler.problem is None:
                await asyncio.sleep(0.01)
        made.now += 3600 * _SECOND
        full = False
        await made.until("accepted", "expired")
    assert server.given == []


async def test_what_has_expired_a_moment_ago_is_never_written(path: Path) -> None:
    """Where the one before it is answered before anybody has looked at the time."""
    server = Server()
    async with setting(path, server) as made:
        made.ask(request("a"))
        made.ask(request("b", expires=made.now + 10 * _SECOND))
        await made.until("accepted", "accepted", "submitted")
        made.now += 11 * _SECOND
        made.dispatcher.answered(Answer(State.SENT, "d1", "1"))
        await made.until("accepted", "accepted", "submitted", "sent", "expired")
    assert [each.id for each in server.given] == ["a"]


async def test_what_ends_together_with_the_one_before_ends_once(path: Path) -> None:
    """The end of the one before would let it go, but its own time is over as well."""
    server = Server()
    async with setting(path, server) as made:
        made.ask(request("a"))
        made.ask(request("b", expires=made.now + 10 * _SECOND))
        await made.until("accepted", "accepted", "submitted")
        made.now += 100_000 * _SECOND
        await made.until("accepted", "accepted", "submitted", "unknown", "expired")
        made.ask(request("c"))
        await made.until(
            *("accepted", "accepted", "submitted", "unknown", "expired", "accepted", "submitted")
        )
    assert [each.id for each in server.given] == ["a", "c"]


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
        ahead = 31 * 86_400 * _SECOND
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
        made.now += 10 * _SECOND
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
        made.now += 3601 * _SECOND
        async with asyncio.timeout(10):
            while not caplog.records:
                await asyncio.sleep(0.01)
        for name in ("d", "a"):
            made.ask(request(name, expires=1))
        assert made.counts.downlinks["repeated"] == 1
    said = "2 ended downlinks are forgotten before 7 days: more than 2 are remembered"
    assert [each.message for each in caplog.records] == [said]


async def test_a_damaged_spool_hands_nothing_over_twice(path: Path) -> None:
    """What waited in it may have been written: it ends as unknown."""
    async with setting(path, Server(open=False)) as made:
        made.ask(request())
        await made.until("accepted")
        more = [Waiting.of(n, Message("lora/a2/d1", b"{}" + b" " * 400)) for n in range(9, 999)]
        made.spool.commit(Batch(more))
    with path.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(b"\xff" * 4096)
    server = Server()
    with Spool(path) as spool:
        spool.placements()
        spool.count_waiting()
        spool.read(0, 10**9, Share(0, 1))
        assert spool.mendings == 1
        made = Setting(spool, server, Downlinks())
        made.spooler.commit()
        assert made.missed == ["the spool was damaged"]
        assert [each for each in made.events() if each[0] == "a"] == [
            *(("a", "accepted"), ("a", "unknown")),
        ]
        made.spooler.close()
    assert server.given == []


def _damage_page_with(path: Path, content: bytes) -> None:
    place = path.read_bytes().index(content) // 4096 * 4096
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 4096)


async def test_a_damaged_page_of_downlinks_leaves_none_without_an_end(path: Path) -> None:
    """What was open is unknown, and all of it is known when it comes again."""
    names = [f"n{number}" for number in range(100)]
    async with setting(path, Server(open=False)) as made:
        made.ask(request("over", expires=1))
        for number, name in enumerate(names):
            made.ask(request(name), f"lora/a1/{number:x}/down")
        await made.until("accepted", "expired", *["accepted"] * len(names))
        rows = made.spool.look(downlinks.still_open)
    _damage_page_with(path, msgspec.msgpack.encode(rows[len(rows) // 2]))
    server = Server()
    async with setting(path, server) as made:
        assert made.spool.mendings == 1
        made.spooler.commit()
        assert {name for name, state in made.events() if state == "unknown"} == {*names}
        made.ask(request("over"))
        for number, name in enumerate(names):
            made.ask(request(name), f"lora/a1/{number:x}/down")
        assert made.counts.downlinks["repeated"] == len(names) + 1
    assert server.given == []
