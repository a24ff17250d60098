"""What has become of a downlink is told from the events of its device."""

import pytest

from console.downlinks.trace import MEANINGS, Step, Trace
from contract.downlinks import State, is_end
from contract.names import EventType
from contract.rows import Row, Value
from contract.times import format_time

ASKED = 1_790_000_000_000_000


def event(after: int, state: str, request_id: str = "a", **fields: Value) -> Row:
    """Return an event of a downlink, so many milliseconds after the request."""
    at = format_time(ASKED + after * 1000)
    content: dict[str, Value] = {"type": EventType.DOWNLINK.value, "id": request_id, "state": state}
    return {"device": "a/d/event", "timestamp": at, **content, **fields}


def test_each_step_is_told_once() -> None:
    """What was looked at before is not news, whatever came between."""
    trace = Trace("a", confirmed=True)
    first, second = event(30, "accepted"), event(40, "submitted")
    assert [step.state for step in trace.news([first])] == [State.ACCEPTED]
    assert [step.state for step in trace.news([first, second])] == [State.SUBMITTED]
    assert not list(trace.news([first, second]))
    assert not trace.ended


def test_what_is_not_about_it_is_passed_over() -> None:
    """Other downlinks, events of other types, and states that are not known."""
    others: list[Row] = [
        event(1, "failed", "b"),
        {**event(2, "failed"), "type": "status"},
        event(3, "lost"),
        {**event(4, "failed"), "timestamp": "soon"},
    ]
    trace = Trace("a", confirmed=False)
    assert not list(trace.news(others))
    assert trace.last is None


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize("state", State)
def test_the_end(state: State, *, confirmed: bool) -> None:
    """Good is only what was asked for: acknowledged, or sent where nothing was to be confirmed."""
    trace = Trace("a", confirmed=confirmed)
    list(trace.news([event(1, state)]))
    assert trace.ended == is_end(state, confirmed=confirmed)
    assert trace.is_good == ((state, confirmed) in {("acknowledged", True), ("sent", False)})


def test_what_is_late_changes_nothing() -> None:
    """It is shown, and the downlink stays in the state that it ended in."""
    trace = Trace("a", confirmed=True)
    list(trace.news([event(1, "unknown")]))
    (late,) = trace.news([event(2, "acknowledged", late=True)])
    assert late.late
    assert trace.last is State.UNKNOWN
    assert not trace.is_good


def test_lines() -> None:
    """A line has the time, the milliseconds since the request, the state and the reason."""
    assert Step(State.SENT, ASKED + 41_900).line(ASKED) == (
        "2026-09-21T14:13:20.041900Z     +41 ms  sent"
    )
    late = Step(State.FAILED, ASKED - 2_000, "no room", late=True)
    assert late.line(ASKED) == "2026-09-21T14:13:19.998000Z      -2 ms  failed (late): no room"


def test_each_state_has_a_meaning() -> None:
    """Whatever it ends in can be said."""
    assert set(MEANINGS) == set(State)
