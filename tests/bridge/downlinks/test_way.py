"""A request comes over MQTT, is written to the network server once, and each step is an event."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract.downlinks import Request, build_request
from contract.times import parse_time
from lab.rig.network_server import APPLICATION, DEVICE, NetworkServer, network_server
from lab.rig.requests import Ask, sender
from lab.rig.running_bridge import RunningBridge, running_bridge
from lab.rig.spools import claimed
from lab.soak.site import Site, site, wait_until

pytestmark = pytest.mark.broker

NAME = f"{APPLICATION}/{DEVICE}"
READY = "ready for downlinks"
_LIMIT = 30.0  # seconds
_MARKED_EVERY = 2.0  # seconds at most, between two notes that the bridge runs

Event = dict[str, object]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """Prepare what a bridge needs, with downlinks."""
    with site(tmp_path, {"downlinks": {"answers_within": 1}}) as found:
        yield found


@pytest.fixture
def ask(place: Site) -> Iterator[Ask]:
    """Connect somebody who asks for downlinks."""
    with sender(place.link.target, place.config.parent) as ask:
        yield ask


class Watch:
    """The events that the broker has delivered."""

    def __init__(self, place: Site) -> None:
        self._counter = place.counter
        self._events: list[tuple[str, Event]] = []

    def until(self, *states: str, of: str = "downlink", name: str | None = None) -> list[Event]:
        """Return the events of a kind, of one downlink or all, once they are in these states."""

        def reached() -> bool:
            self._counter.look()
            for topic, payload in self._counter.take():
                if "/event/" in topic:
                    self._events.append((topic, json.loads(payload)))
            return len(self._found(of, name)) >= len(states)

        wait_until(reached, _LIMIT, f"{states}, not {self._found(of, name)}")
        found = self._found(of, name)
        assert [str(each.get("state", each["type"])) for each in found] == list(states)
        return found

    def _found(self, of: str, name: str | None) -> list[Event]:
        return [
            event
            for topic, event in self._events
            if topic.endswith(f"/event/{of}") and name in {None, event.get("id")}
        ]


@contextmanager
def at_work(place: Site) -> Iterator[tuple[RunningBridge, NetworkServer]]:
    """Run a bridge that is ready for downlinks, before a network server with the application."""
    with running_bridge(place.config) as bridge:
        bridge.says(READY)
        with network_server(place.port) as server:
            become_known(place, server)
            yield bridge, server


def become_known(place: Site, server: NetworkServer) -> None:
    """Send an uplink, and wait until the bridge takes requests for its application."""
    server.uplink()
    wait_until(lambda: claimed(place.spool) > 0, _LIMIT, "the application to be claimed")


def request(name: str, *, confirmed: bool = False, expires: int | None = None) -> bytes:
    """Return a request."""
    return build_request(Request(name, 10, b"\x01\x0f", confirmed=confirmed, expires=expires))


def test_a_confirmed_downlink(place: Site, ask: Ask) -> None:
    """It is written with its token, and is accepted, submitted, sent and acknowledged."""
    watch = Watch(place)
    with at_work(place) as (_bridge, server):
        ask(NAME, request("a", confirmed=True))
        (taken,) = server.has_taken(1)
        assert taken.kind == "app"
        assert taken.content == {
            "moteeui": DEVICE,
            "dir": "dn",
            "token": 1,
            "confirmed": True,
            "userdata": {"port": 10, "payload": "AQ8="},
        }
        server.sent(taken)
        server.acknowledged(taken)
        events = watch.until("accepted", "submitted", "sent", "acknowledged")
    assert {each["id"] for each in events} == {"a"}
    assert {each["source"] for each in events} == {"semtech"}
    assert [each.get("attempt") for each in events] == [None, 1, 1, 1]
    times = [str(each["timestamp"]) for each in events]
    assert times == sorted(set(times))


def test_the_same_request_again_is_one_downlink(place: Site, ask: Ask) -> None:
    """Also after it has ended, and after a restart; the same id of another device is another."""
    watch = Watch(place)
    for _ in range(2):
        with at_work(place) as (bridge, server):
            server.uplink(device="b2")
            for _ in range(3):
                ask(NAME, request("a"))
            ask(f"{APPLICATION}/b2", request(f"after-{bridge.process.pid}"))
            wait_until(
                lambda server=server: any(  # type: ignore[misc]  # each its own
                    each.content["moteeui"] == "b2" for each in server.taken
                ),
                _LIMIT,
                "what came after",
            )
            for taken in server.taken:
                server.sent(taken)
    watch.until("accepted", "submitted", "sent", name="a")


def test_killed_at_any_moment_it_is_written_once(place: Site, ask: Ask) -> None:
    """What was being handed over at a kill is not written again, and ends as unknown or sent."""
    written: list[str] = []
    for number in range(6):
        with at_work(place) as (bridge, server):
            ask(f"{APPLICATION}/{number}", build_request(Request("a", number + 1, b"")))
            if number % 2:
                server.has_taken(1)
            bridge.process.send_signal(signal.SIGKILL)
            bridge.process.wait()
            written += [str(each.content["userdata"]) for each in server.taken]
    with at_work(place) as (_bridge, server):
        ask(NAME, request("last"))
        wait_until(lambda: _asked(server, "AQ8=", DEVICE), _LIMIT, "the last one")
    written += [str(each.content["userdata"]) for each in server.taken]
    assert len(written) == len(set(written))


def _asked(server: NetworkServer, payload: str, moteeui: str) -> bool:
    return any(
        payload in str(each.content) and each.content["moteeui"] == moteeui for each in server.taken
    )


def test_it_waits_for_the_network_server_and_expires(place: Site, ask: Ask) -> None:
    """Without a connection of its application it is kept, and handed over when there is one."""
    watch = Watch(place)
    with running_bridge(place.config) as bridge:
        bridge.says(READY)
        with network_server(place.port) as server:
            become_known(place, server)
            ask(NAME, request("first"))
            server.has_taken(1)
            server.sent(server.taken[0])
            watch.until("accepted", "submitted", "sent", name="first")
        bridge.says("disconnected")
        ask(NAME, request("kept"))
        ask(NAME, request("late", expires=time.time_ns() // 1000 + 1_500_000))
        watch.until("accepted", "expired", name="late")
        with network_server(place.port) as server:
            server.uplink()
            server.has_taken(1)
            server.sent(server.taken[0])
            watch.until("accepted", "submitted", "sent", name="kept")


def test_the_next_waits_until_the_one_before_has_left(place: Site, ask: Ask) -> None:
    """A device has one downlink at a time, in the order of requests; others do not wait for it."""
    with at_work(place) as (_bridge, server):
        server.uplink(device="b2")
        for number in range(1, 4):
            ask(NAME, build_request(Request(f"n{number}", number, b"")))
        ask(f"{APPLICATION}/b2", request("other"))
        server.has_taken(2)
        for number in range(1, 4):
            own = [each for each in server.taken if each.content["moteeui"] == DEVICE]
            assert [_port(each.content) for each in own] == list(range(1, number + 1))
            server.sent(own[-1])
            server.has_taken(min(number + 2, 4))


def _port(content: dict[str, object]) -> object:
    userdata = content["userdata"]
    assert isinstance(userdata, dict)
    return userdata["port"]


def test_a_bad_request_fails_with_the_reason(place: Site, ask: Ask) -> None:
    """Users' bad requests were dropped without a word: where it has an id, it is answered.

    Without one it is kept with the rejected frames.
    """
    watch = Watch(place)
    with at_work(place) as (_bridge, server):
        ask(NAME, b'{"id":"bad","port10_bytes":[1,256]}')
        (event,) = watch.until("failed", name="bad")
        assert event["reason"] == "bytes are not up to 242 numbers from 0 to 255"
        ask(NAME, b"nonsense")
        ask(f"{APPLICATION}/b2", request("ok"))
        server.has_taken(1)


@pytest.mark.parametrize(
    "hostile",
    [
        lambda number: b'{"id":"x","priority%d":1}' % number,
        lambda number: b"[" * (3_000 if number % 100 else 100_000),
        lambda number: b"\xff" * number,
        lambda number: request(f"flood-{number}"),
    ],
)
def test_a_flood_of_requests_stops_nothing(
    place: Site, ask: Ask, hostile: Callable[[int], bytes]
) -> None:
    """Thousands are taken, logged once, and uplinks and other requests go on."""
    watch = Watch(place)
    with at_work(place) as (bridge, server):
        for number in range(2000):
            ask(f"{APPLICATION}/flood", hostile(number))
        ask(NAME, request("after"))
        server.uplink(device="b2", port=7)
        wait_until(lambda: _asked(server, "AQ8=", DEVICE), _LIMIT, "the request after it")
        watch.until("accepted", "submitted", name="after")
        assert bridge.log.count("bad request for a downlink") <= 2
        assert len(bridge.log) < 20_000


def test_another_bridges_application_is_left_alone(place: Site, ask: Ask) -> None:
    """A request for an application that no source has claimed has no answer and no downlink."""
    watch = Watch(place)
    with at_work(place) as (_bridge, server):
        ask("somebody/else", request("theirs"))
        ask(NAME, request("ours"))
        server.has_taken(1)
        watch.until("accepted", "submitted")


def test_no_answer_in_time_is_unknown_and_a_late_one_is_told(place: Site, ask: Ask) -> None:
    """Users saw downlinks end that were sent later: that is told as late, and changes nothing."""
    watch = Watch(place)
    with at_work(place) as (_bridge, server):
        ask(NAME, request("a", expires=time.time_ns() // 1000 + 500_000))
        (taken,) = server.has_taken(1)
        watch.until("accepted", "submitted", "unknown")
        server.sent(taken)
        events = watch.until("accepted", "submitted", "unknown", "sent")
    assert events[-1]["late"] is True


def test_a_confirmed_downlink_that_is_never_acknowledged(place: Site, ask: Ask) -> None:
    """Users saw it repeated without end and the queue blocked: it ends once, as unknown.

    The next confirmed one of its device goes then.
    """
    watch = Watch(place)
    with at_work(place) as (_bridge, server):
        ask(NAME, request("a", confirmed=True, expires=time.time_ns() // 1000 + 500_000))
        ask(NAME, request("b", confirmed=True))
        (first,) = server.has_taken(1)
        server.sent(first)
        second = server.has_taken(2)[1]
        watch.until("accepted", "submitted", "sent", "unknown", name="a")
        server.sent(second)
        server.acknowledged(second)
        watch.until("accepted", "submitted", "sent", "acknowledged", name="b")
    watch.until("accepted", "submitted", "sent", "unknown", name="a")


def test_a_join_forgets_no_downlink(place: Site, ask: Ask) -> None:
    """Users saw queues vanish at a join without a trace: each still comes to its end."""
    watch = Watch(place)
    with at_work(place) as (_bridge, server):
        ask(NAME, request("a", expires=time.time_ns() // 1000 + 500_000))
        ask(NAME, request("b"))
        server.has_taken(1)
        server.write(join={"appeui": APPLICATION, "moteeui": DEVICE})
        second = server.has_taken(2)[1]
        watch.until("accepted", "submitted", "unknown", name="a")
        server.sent(second)
        watch.until("accepted", "submitted", "sent", name="b")


def test_the_same_bytes_twice_are_two_downlinks(place: Site, ask: Ask) -> None:
    """Users got states without an id: what became of one is not told of the other."""
    watch = Watch(place)
    with at_work(place) as (_bridge, server):
        ask(NAME, request("a"))
        ask(NAME, request("b", expires=time.time_ns() // 1000 + 1_000_000))
        (first,) = server.has_taken(1)
        server.sent(first)
        second = server.has_taken(2)[1]
        assert first.token != second.token
        assert first.content["userdata"] == second.content["userdata"]
        watch.until("accepted", "submitted", "unknown", name="b")
        watch.until("accepted", "submitted", "sent", name="a")


def test_requests_wait_while_the_bridge_is_away(place: Site, ask: Ask) -> None:
    """Users found sessions of before a restart empty: all come, before it has subscribed again."""
    watch = Watch(place)
    with at_work(place):
        pass
    names = [f"n{number}" for number in range(50)]
    for name in names:
        ask(f"{APPLICATION}/{name[1:]}", request(name))
    with at_work(place) as (_bridge, server):
        server.has_taken(len(names))
        for name in names:
            watch.until("accepted", "submitted", name=name)
    assert len(server.taken) == len(names)


def test_joins_and_statuses_are_events(place: Site) -> None:
    """They are published where consumers find them, with what the server says."""
    watch = Watch(place)
    with at_work(place) as (_bridge, server):
        server.write(join={"appeui": APPLICATION, "moteeui": DEVICE, "devnonce": 7})
        (event,) = watch.until("join", of="join")
        assert event["devnonce"] == 7
        server.uplink()
        server.write(mote={"eui": DEVICE, "app": True})
        (event,) = watch.until("status", of="status")
        assert event["app"] is True


def test_a_network_server_that_was_gone_is_a_gap(place: Site) -> None:
    """When it is back the bridge tells since when it may have missed frames."""
    watch = Watch(place)
    with running_bridge(place.config) as bridge:
        bridge.says("ready: ")
        with network_server(place.port):
            pass
        bridge.says("disconnected")
        with network_server(place.port):
            (event,) = watch.until("gap", of="gap")
    assert event["what"] == "frames"
    assert str(event["since"]) <= str(event["until"])


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_frames_of_the_time_when_the_bridge_was_stopped_are_a_gap(
    place: Site, end: signal.Signals
) -> None:
    """Users saw holes after restarts without a word: it tells from when on nothing was read.

    As after a reconnect, it tells also until when no network server was connected.
    """
    watch = Watch(place)
    with at_work(place) as (bridge, _server):
        before = time.time()
        bridge.process.send_signal(end)
        bridge.process.wait()
        after = time.time()
    with running_bridge(place.config) as bridge:
        bridge.says("ready: ")
        (gap,) = watch.until("gap", of="gap")
        assert (gap["what"], gap["reason"]) == ("frames", "the bridge was not running")
        assert before - _MARKED_EVERY <= _seconds(gap["since"]) <= after
        assert _seconds(gap["until"]) >= after
        with network_server(place.port):
            _, unconnected = watch.until("gap", "gap", of="gap")
    assert unconnected["reason"] == "no network server was connected"
    assert str(unconnected["since"]) >= str(gap["until"])


def _seconds(time: object) -> float:
    micros = parse_time(str(time))
    assert micros is not None
    return micros / 1_000_000
