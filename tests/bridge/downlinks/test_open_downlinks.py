"""Of the open downlinks, which may go, which one an answer is about, and when each ends."""

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bridge.downlinks.ended import REMEMBERED, Ended
from bridge.downlinks.open_downlinks import OpenDownlinks, restored
from bridge.messages.downlink import Answer, Downlink
from contract.downlinks import Request, State

SECOND = 1_000_000
NOW = 1_700_000_000 * SECOND
HOUR = 3600 * SECOND


def downlink(number: int, *, mote: str = "d1", confirmed: bool = False) -> Downlink:
    """Return an accepted downlink, which expires in an hour."""
    request = Request(f"n{number}", 10, b"\x01", confirmed=confirmed)
    return Downlink.of(request, number, f"a1/{mote}", expires=NOW + HOUR, now=NOW)


def handing(downlink: Downlink) -> Downlink:
    """Return it as it is while it is handed over."""
    return replace(downlink, handing=True, reference=str(downlink.number), attempt=1)


def submitted(downlink: Downlink) -> Downlink:
    """Return it as it is when the network server has it."""
    return handing(downlink).become(State.SUBMITTED, NOW)


def sent(downlink: Downlink) -> Downlink:
    """Return it as it is when the network server has said that it was sent."""
    return submitted(downlink).become(State.SENT, NOW)


def open_downlinks(*downlinks: Downlink, in_order: bool = True) -> OpenDownlinks:
    """Note these as open; answers may come for a minute after the expiry."""
    made = OpenDownlinks(in_order=in_order, answers_within=60 * SECOND)
    for each in downlinks:
        made.put(each)
    return made


def test_the_first_of_a_device_goes_first() -> None:
    """In the order of acceptance, whatever order they are put in."""
    assert open_downlinks(downlink(2), downlink(1)).next("d1") == downlink(1)


@pytest.mark.parametrize("under_way", [handing, submitted])
@pytest.mark.parametrize("in_order", [True, False])
def test_the_next_waits_in_order(under_way: object, *, in_order: bool) -> None:
    """With in_order until the one before has left; without it, it does not wait."""
    assert callable(under_way)
    made = open_downlinks(under_way(downlink(1)), downlink(2), in_order=in_order)
    assert made.next("d1") == (None if in_order else downlink(2))


def test_the_next_goes_when_the_one_before_was_sent() -> None:
    """A confirmed one that waits for its acknowledgement does not hold unconfirmed ones back."""
    sent = submitted(downlink(1, confirmed=True)).become(State.SENT, NOW)
    assert open_downlinks(sent, downlink(2)).next("d1") == downlink(2)


def test_what_was_submitted_is_told_once() -> None:
    """Not what waits, and not what has gone further or ended meanwhile."""
    first, sent, over = (submitted(downlink(number)) for number in (1, 2, 3))
    made = open_downlinks(first, sent, over, handing(downlink(4)))
    made.put(sent.become(State.SENT, NOW))
    made.put(over.become(State.FAILED, NOW))
    assert made.take_submitted() == [first]
    made.put(submitted(downlink(4)))
    assert made.take_submitted() == [submitted(downlink(4))]
    assert made.take_submitted() == []


def test_those_of_a_device() -> None:
    """In the order of acceptance, whatever their state."""
    made = open_downlinks(downlink(3), downlink(2, mote="d2"), submitted(downlink(1)))
    assert [each.number for each in made.of("d1")] == [1, 3]
    assert [*made.of("d3")] == []


@pytest.mark.parametrize("in_order", [True, False])
def test_one_confirmed_downlink_of_a_device_at_a_time(*, in_order: bool) -> None:
    """The next confirmed one waits; in order, so do those after it."""
    sent = submitted(downlink(1, confirmed=True)).become(State.SENT, NOW)
    made = open_downlinks(sent, downlink(2, confirmed=True), downlink(3), in_order=in_order)
    assert made.next("d1") == (None if in_order else downlink(3))
    made.put(sent.become(State.ACKNOWLEDGED, NOW))
    assert made.next("d1") == downlink(2, confirmed=True)


def test_devices_do_not_wait_for_each_other() -> None:
    """Each has a queue of its own."""
    made = open_downlinks(submitted(downlink(1)), downlink(2, mote="d2"))
    assert made.next("d2") == downlink(2, mote="d2")
    assert made.applications() == ["a1"]
    assert made.motes("a1") == ["d2"]


def test_an_answer_finds_its_downlink() -> None:
    """By its reference; without one it is the device's confirmed one that is under way."""
    first, second = submitted(downlink(1)), sent(downlink(2, mote="d2", confirmed=True))
    made = open_downlinks(first, second, downlink(3, mote="d2", confirmed=True))
    assert made.meant(Answer(State.SENT, "d1", "1")) == first
    assert made.meant(Answer(State.SENT, "d1", "7")) is None
    assert made.meant(Answer(State.ACKNOWLEDGED, "d2")) == second
    assert made.meant(Answer(State.ACKNOWLEDGED, "d1")) is None
    assert made.meant(Answer(State.ACKNOWLEDGED, "d3")) is None


def test_an_answer_is_not_about_what_was_not_handed_over() -> None:
    """One of bridges that share requests may not be its own yet, and has no reference."""
    unsettled = replace(downlink(1, confirmed=True), handing=True)
    assert open_downlinks(unsettled).meant(Answer(State.ACKNOWLEDGED, "d1")) is None


@pytest.mark.parametrize("under_way", [handing, submitted])
def test_an_acknowledgement_is_of_what_was_sent(under_way: object) -> None:
    """Users saw downlinks acknowledged that no device had got: what was not sent cannot be meant.

    What names none may be of one that came before, or of somebody else's.
    """
    assert callable(under_way)
    made = open_downlinks(under_way(downlink(1, confirmed=True)))
    assert made.meant(Answer(State.ACKNOWLEDGED, "d1")) is None


def test_what_was_sent_is_not_what_was_sent_before() -> None:
    """Where it names none, it is of the one that was submitted."""
    before, now = sent(downlink(1, confirmed=True)), submitted(downlink(2))
    assert open_downlinks(before, now).meant(Answer(State.SENT, "d1")) == now
    assert open_downlinks(before).meant(Answer(State.SENT, "d1")) is None


def test_a_confirmed_one_waits_while_the_one_before_may_be_acknowledged() -> None:
    """For a minute, unless that comes earlier; others do not wait for it."""
    unknown = sent(downlink(1, confirmed=True)).become(State.UNKNOWN, NOW)
    made = open_downlinks(sent(downlink(1, confirmed=True)), unknown, in_order=False)
    made.put(downlink(2, confirmed=True))
    made.put(downlink(3))
    assert made.in_doubt("d1", NOW + 60 * SECOND - 1)
    assert not made.in_doubt("d1", NOW + 60 * SECOND)
    assert not made.in_doubt("d2", NOW)
    assert made.next("d1", doubtful=True) == downlink(3)
    assert made.next("d1") == downlink(2, confirmed=True)
    made.put_late(unknown.become(State.SENT, NOW))
    made.put(downlink(2, confirmed=True).become(State.EXPIRED, NOW))
    made.put(downlink(4, confirmed=True).become(State.FAILED, NOW))
    assert made.in_doubt("d1", NOW)
    made.put_late(unknown.become(State.ACKNOWLEDGED, NOW))
    assert not made.in_doubt("d1", NOW)


def test_late_answers_are_remembered_for_so_many() -> None:
    """The oldest are forgotten, and their references can be given again."""
    made = Ended(60 * SECOND)
    for number in range(REMEMBERED + 1):
        made.add(sent(downlink(number, mote=f"d{number}", confirmed=True)))
    assert made.meant(Answer(State.SENT, "d0", "0")) is None
    assert made.meant(Answer(State.ACKNOWLEDGED, "d0")) is None
    assert made.meant(Answer(State.ACKNOWLEDGED, "d1")) is not None
    assert "0" not in made.references
    assert "1" in made.references


def test_a_late_answer_finds_what_has_ended() -> None:
    """By its reference, or as the device's last confirmed one; a reference given again is new."""
    ended = submitted(downlink(1, confirmed=True)).become(State.UNKNOWN, NOW)
    made = open_downlinks(submitted(downlink(1, confirmed=True)), ended)
    assert made.meant(Answer(State.SENT, "d1", "1")) is None
    assert made.meant_late(Answer(State.SENT, "d1", "1")) == ended
    assert made.meant_late(Answer(State.ACKNOWLEDGED, "d1")) == ended
    again = replace(submitted(downlink(2)), reference="1")
    made.put(again)
    assert made.meant(Answer(State.SENT, "d1", "1")) == again


def test_what_was_not_handed_over_expires() -> None:
    """At its time and not before; what is being handed over does not."""
    made = open_downlinks(downlink(1), handing(downlink(2, mote="d2")))
    assert made.due(NOW + HOUR - 1) == []
    (ended,) = made.due(NOW + HOUR)
    assert (ended.number, ended.state) == (1, State.EXPIRED)


def test_what_is_not_answered_is_unknown() -> None:
    """Some time after its expiry, whether it was sent or not."""
    sent = submitted(downlink(2, mote="d2", confirmed=True)).become(State.SENT, NOW + HOUR)
    made = open_downlinks(submitted(downlink(1)), sent)
    assert made.due(NOW + HOUR + 60 * SECOND - 1) == []
    ended = made.due(NOW + HOUR + 60 * SECOND)
    assert [(each.number, each.state) for each in ended] == [
        (1, State.UNKNOWN),
        (2, State.UNKNOWN),
    ]


def test_what_a_kill_leaves() -> None:
    """What was being handed over is unknown; in a damaged spool all that waited is."""
    all_of_it = [downlink(1), handing(downlink(2)), submitted(downlink(3))]
    still, ended = restored(all_of_it, NOW, damaged=False)
    assert [each.number for each in still] == [1, 3]
    assert [(each.number, each.state) for each in ended] == [(2, State.UNKNOWN)]
    still, ended = restored(all_of_it, NOW, damaged=True)
    assert [each.number for each in still] == [3]
    assert [each.number for each in ended] == [1, 2]


@dataclass
class _Play:
    """Plays at random; each downlink's hand-overs and ends are counted."""

    made: OpenDownlinks
    handed: Counter[int] = field(default_factory=Counter)
    ends: Counter[int] = field(default_factory=Counter)
    now: int = NOW

    def put(self, downlink: Downlink) -> None:
        """Put a downlink, and count its end."""
        self.made.put(downlink)
        if downlink.ended:
            self.ends[downlink.number] += 1

    def end(self, now: int) -> None:
        """End what is over."""
        for each in self.made.due(now):
            self.put(each)

    def submit(self, mote: str) -> None:
        """Hand over what may go."""
        doubtful = self.made.in_doubt(mote, self.now)
        if next_one := self.made.next(mote, doubtful=doubtful):
            under_way = [
                each for each in self.made if each.moteeui == mote and each.state is State.SUBMITTED
            ]
            assert under_way == []
            self.handed[next_one.number] += 1
            self.put(submitted(next_one))

    def answer(self, state: State, mote: str, reference: str | None) -> None:
        """Answer, perhaps late or to nothing."""
        answer = Answer(state, mote, reference)
        found = self.made.meant(answer)
        if found and (state is not State.SENT or found.state is State.SUBMITTED):
            self.put(found.become(state, self.now))
        elif not found and (late := self.made.meant_late(answer)):
            self.made.put_late(late.become(state, self.now))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["take", "submit", "sent", "acknowledge", "wait"]),
            st.sampled_from(["d1", "d2"]),
            st.integers(1, 12),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_whatever_happens_each_is_handed_over_once_and_ends_once(
    steps: list[tuple[str, str, int, bool]],
) -> None:
    """In any order of requests, answers and time; and after all time is over none is open.

    Then the next one goes, whatever is told late.
    """
    play = _Play(open_downlinks())
    taken = 0
    for step, mote, number, confirmed in steps:
        match step:
            case "take":
                taken += 1
                play.put(downlink(taken, mote=mote, confirmed=confirmed))
            case "submit":
                play.submit(mote)
            case "sent":
                play.answer(State.SENT, mote, str(number))
            case "acknowledge":
                play.answer(State.ACKNOWLEDGED, mote, None)
            case _:
                play.now += number * 60 * SECOND
                play.end(play.now)
    play.now = NOW + 1000 * HOUR
    play.end(play.now)
    play.now += 60 * SECOND  # in doubt until then
    for number in range(1, taken + 1):
        play.answer(State.SENT, "d1", str(number))
    assert len(play.made) == 0
    assert play.made.applications() == []
    assert set(play.handed.values()) <= {1}
    assert [play.ends[number] for number in range(1, taken + 1)] == [1] * taken
    for number, mote in enumerate(["d1", "d2"], taken + 1):
        play.put(downlink(number, mote=mote, confirmed=True))
        play.submit(mote)
        assert play.handed[number] == 1
