"""Each uplink gets one timestamp, for ever, that no other uplink of its device has."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from bridge.messages.timestamper import Placement, Timestamper, _Newest, agreed
from bridge.messages.uplink import Uplink
from bridge.spool.batch import Batch
from bridge.spool.spool import Spool
from contract.times import format_time, parse_time

NOW = 1_700_000_000_000_000
HOUR = 3_600_000_000
UPLINK = Uplink("a1", "d1", 1, b"\1", seqno=5, motetx=None, gwrx=(), received_at=(NOW - 1000,))


def times(placements: list[Placement]) -> list[int]:
    """Return the timestamps given."""
    return [placement.given for placement in placements]


def test_gateway_time_is_used() -> None:
    """The gateway's receive time is the timestamp."""
    assert Timestamper().place(UPLINK, NOW).given == NOW - 1000


def test_earliest_gateway_counts() -> None:
    """Of several gateways the earliest counts."""
    uplink = replace(UPLINK, received_at=(NOW - 5, NOW - 9, NOW - 7))
    assert Timestamper().place(uplink, NOW).given == NOW - 9


@pytest.mark.parametrize(
    ("hours_behind", "chosen"),
    [
        ((0, 3), 0),
        ((3, 0), 0),
        ((3, 0, 3), 3),
        ((0, 3, 0.001), 0.001),
        ((5, 3, 1), 1),
        ((3, 3), 3),
    ],
)
def test_gateways_that_agree_decide(hours_behind: tuple[float, ...], chosen: float) -> None:
    """One clock that is off moves no uplink; delivered again later, it has the same time."""
    uplink = replace(UPLINK, received_at=tuple(NOW - int(each * HOUR) for each in hours_behind))
    timestamper = Timestamper()
    assert timestamper.place(uplink, NOW).given == NOW - int(chosen * HOUR)
    assert timestamper.place(uplink, NOW + HOUR).given == NOW - int(chosen * HOUR)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_the_time_is_that_of_a_gateway(times: list[int]) -> None:
    """Whatever clocks say, nothing is made up, and the order of gateways is no matter."""
    assert agreed(times) in times
    assert agreed(times) == agreed(times[::-1])


@pytest.mark.parametrize(
    ("received", "used"),
    [
        (NOW - 24 * HOUR, True),
        (NOW - 24 * HOUR - 1, False),
        (NOW + HOUR // 12, True),
        (NOW + HOUR // 12 + 1, False),
        (0, False),
    ],
)
def test_implausible_gateway_time_is_not(*, received: int, used: bool) -> None:
    """A gateway time beyond 24 h ago or 5 min ahead gives way to the host's."""
    placed = Timestamper().place(replace(UPLINK, received_at=(received,)), NOW)
    assert placed.given == (received if used else NOW)


def test_gateway_with_a_wrong_clock_does_not_spoil_the_others() -> None:
    """An implausible time beside a plausible one is passed over."""
    uplink = replace(UPLINK, received_at=(0, NOW - 3))
    assert Timestamper().place(uplink, NOW).given == NOW - 3


def test_no_gateway_time() -> None:
    """Without a gateway time the host's time of receipt is used."""
    assert Timestamper().place(replace(UPLINK, received_at=()), NOW).given == NOW


def test_same_uplink_twice_gets_the_same_timestamp() -> None:
    """A second delivery, an hour later, lands in the first one's row."""
    timestamper = Timestamper()
    first = timestamper.place(UPLINK, NOW)
    assert timestamper.place(UPLINK, NOW + HOUR).given == first.given


def test_two_bridges_agree() -> None:
    """Two bridges that get the same uplinks give the same timestamps, whatever their clocks."""
    uplinks = [replace(UPLINK, seqno=seqno) for seqno in range(5)]
    one, other = Timestamper(), Timestamper()
    assert times([one.place(uplink, NOW) for uplink in uplinks]) == times(
        [other.place(uplink, NOW + HOUR) for uplink in uplinks]
    )


def test_different_uplinks_of_one_time_move_apart() -> None:
    """The later of two uplinks with one time moves by a microsecond, and a third by two."""
    timestamper = Timestamper()
    uplinks = [UPLINK, replace(UPLINK, seqno=6), replace(UPLINK, data=b"\2")]
    placed = times([timestamper.place(uplink, NOW) for uplink in uplinks])
    assert placed == [NOW - 1000, NOW - 999, NOW - 998]
    assert times([timestamper.place(uplink, NOW) for uplink in uplinks]) == placed


def test_a_moved_uplink_makes_the_next_move_too() -> None:
    """A time already taken by a moved uplink is not given again."""
    timestamper = Timestamper()
    timestamper.place(UPLINK, NOW)
    timestamper.place(replace(UPLINK, seqno=6), NOW)
    wants_the_same = replace(UPLINK, seqno=7, received_at=(NOW - 999,))
    assert timestamper.place(wants_the_same, NOW).given == NOW - 998


def test_other_devices_do_not_matter() -> None:
    """Two devices may share a time."""
    timestamper = Timestamper()
    timestamper.place(UPLINK, NOW)
    assert timestamper.place(replace(UPLINK, device="d2"), NOW).given == NOW - 1000
    assert timestamper.place(replace(UPLINK, application="a2"), NOW).given == NOW - 1000


def test_equal_uplinks_without_gateway_time_are_two() -> None:
    """Without a gateway time two equal uplinks may be two readings: both are kept."""
    timestamper = Timestamper()
    bare = replace(UPLINK, seqno=None, received_at=())
    assert times([timestamper.place(bare, NOW) for _ in range(3)]) == [NOW, NOW + 1, NOW + 2]


def test_host_clock_set_back() -> None:
    """A clock that repeats a microsecond does not repeat a timestamp."""
    timestamper = Timestamper()
    bare = replace(UPLINK, received_at=())
    placed = [timestamper.place(bare, now).given for now in (NOW, NOW + 1, NOW, NOW + 1)]
    assert len(set(placed)) == 4


def test_restart_continues() -> None:
    """What an earlier run placed is still known, redelivery and taken times alike."""
    earlier = Timestamper()
    placed = [earlier.place(replace(UPLINK, seqno=seqno), NOW) for seqno in range(3)]
    later = Timestamper(placed)
    assert later.place(replace(UPLINK, seqno=1), NOW).given == placed[1].given
    assert later.place(replace(UPLINK, seqno=9), NOW).given == placed[2].given + 1


NAMED = replace(UPLINK, received_at=(), time=NOW - HOUR, identity="e3fe492a")


@pytest.mark.parametrize("days", [-400, -1, 0, 1, 400])
def test_a_servers_time_is_used(days: int) -> None:
    """However old it is, or ahead: it waited at a broker, and gateways have no say."""
    uplink = replace(NAMED, time=NOW + days * 24 * HOUR, received_at=(NOW - 5,))
    assert Timestamper().place(uplink, NOW).given == NOW + days * 24 * HOUR


def test_a_server_that_says_no_time() -> None:
    """The host's counts, and still no delivery makes a second row."""
    timestamper = Timestamper()
    uplink = replace(NAMED, time=None)
    assert timestamper.place(uplink, NOW).given == NOW
    assert timestamper.place(uplink, NOW + HOUR).given == NOW


def test_one_identity_is_one_uplink() -> None:
    """Whatever else differs: what its network server has named alike is in one place."""
    timestamper = Timestamper()
    first = timestamper.place(NAMED, NOW)
    again = timestamper.place(replace(NAMED, time=NOW, seqno=6, data=b"\2"), NOW + HOUR)
    assert (first.given, again.given) == (NOW - HOUR, NOW - HOUR)
    assert first.digest == again.digest


def test_two_identities_are_two_uplinks() -> None:
    """Even at one time and with one counter, as where the server does not check counters."""
    timestamper = Timestamper()
    uplinks = [replace(NAMED, identity=name) for name in ("a", "b", "c")]
    placed = times([timestamper.place(each, NOW) for each in uplinks])
    assert placed == [NOW - HOUR, NOW - HOUR + 1, NOW - HOUR + 2]
    assert times([timestamper.place(each, NOW) for each in uplinks[::-1]]) == placed[::-1]


def test_an_identity_is_of_its_device() -> None:
    """Two devices' uplinks are two, and so are an uplink and an event with one identity."""
    timestamper = Timestamper()
    first = timestamper.place(NAMED, NOW)
    other = timestamper.place(replace(NAMED, device="d2", time=NOW), NOW)
    event = timestamper.place_event("a1/d1", NOW - HOUR, "e3fe492a")
    assert (other.given, event.given) == (NOW, NOW - HOUR)
    assert len({first.digest, other.digest, event.digest}) == 3


def test_events_with_an_identity() -> None:
    """One is in one place, two never share it; without an identity each is another."""
    timestamper = Timestamper()
    named = [timestamper.place_event("a1/d1", NOW, name) for name in ("a", "b", "a")]
    assert times(named) == [NOW, NOW + 1, NOW]
    assert timestamper.place_event("a1/d1", NOW).given == NOW + 2
    assert timestamper.place_event("a1/d1", NOW).given == NOW + 3


def test_identities_are_known_after_a_restart(tmp_path: Path) -> None:
    """The spool has the placements: what the broker delivers again is still the same."""
    earlier = Timestamper()
    uplinks = [replace(NAMED, identity=name) for name in ("a", "b")]
    placed = [earlier.place(each, NOW) for each in uplinks]
    placed.append(earlier.place_event("a1/d1", NOW, "a"))
    with Spool(tmp_path / "spool.db") as spool:
        spool.commit(Batch(placements=placed))
    with Spool(tmp_path / "spool.db") as spool:
        later = Timestamper(spool.placements())
    assert times([later.place(each, NOW + HOUR) for each in uplinks]) == times(placed[:2])
    assert later.place_event("a1/d1", NOW + HOUR, "a").given == NOW
    assert later.place(replace(NAMED, identity="c"), NOW).given == NOW - HOUR + 2


def test_the_last_time_of_all_leaves_room() -> None:
    """A server's time at the end of the year 9999 can be written for any number of uplinks."""
    last = parse_time("9999-12-31T23:59:59.999999Z")
    timestamper = Timestamper()
    uplinks = [replace(NAMED, time=last, identity=name) for name in ("a", "b")]
    placed = times([timestamper.place(each, NOW) for each in uplinks])
    assert [format_time(each)[:4] for each in placed] == ["9999", "9999"]
    assert len(set(placed)) == 2


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=60))
def test_one_timestamp_for_each_identity(deliveries: list[tuple[int, int]]) -> None:
    """However times collide and uplinks come again, identities and timestamps are one to one."""
    timestamper = Timestamper()
    given_to: dict[int, int] = {}
    for name, offset in deliveries:
        uplink = replace(NAMED, identity=str(name), time=NOW + offset)
        placed = timestamper.place(uplink, NOW).given
        assert given_to.setdefault(name, placed) == placed
    assert len(set(given_to.values())) == len(given_to)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=60))
def test_one_timestamp_for_each_uplink(deliveries: list[tuple[int, int]]) -> None:
    """However uplinks collide and repeat, uplinks and timestamps stay one to one."""
    timestamper = Timestamper()
    given_to: dict[tuple[int, int], int] = {}
    for seqno, offset in deliveries:
        uplink = replace(UPLINK, seqno=seqno, received_at=(NOW + offset,))
        placed = timestamper.place(uplink, NOW).given
        assert given_to.setdefault((seqno, offset), placed) == placed
    assert len(set(given_to.values())) == len(given_to)


def test_standing_clock_never_gives_a_time_again() -> None:
    """A gateway whose clock stands still gets new timestamps beyond what is remembered."""
    timestamper = Timestamper(remembered=10)
    placed = [timestamper.place(replace(UPLINK, seqno=n), NOW).given for n in range(100)]
    assert len(set(placed)) == 100


def test_times_that_are_taken_are_passed_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uplinks of one time, and then one of each time after it, cost a few looks each."""
    looks = 0
    get = _Newest.get

    def counted(newest: _Newest[bytes], key: bytes) -> int | None:
        nonlocal looks
        looks += 1
        return get(newest, key)

    monkeypatch.setattr(_Newest, "get", counted)
    count = 2000
    timestamper = Timestamper()
    for seqno in range(count):
        timestamper.place(replace(UPLINK, seqno=seqno), NOW)
    for seqno in range(count):
        uplink = replace(UPLINK, seqno=count + seqno, received_at=(NOW - 1000 + seqno,))
        timestamper.place(uplink, NOW)
    assert looks < 10 * count


def test_memory_is_bounded() -> None:
    """The newest placements are remembered, and no more than twice as many as promised."""
    timestamper = Timestamper(remembered=10)
    for number in range(100):
        timestamper.place(replace(UPLINK, received_at=(NOW + number,)), NOW)
    assert 10 <= len(timestamper._given) < 20  # noqa: SLF001  # memory is the behaviour
    assert 10 <= len(timestamper._next) < 20  # noqa: SLF001


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T00:00:00.1234567Z", 123_456),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01 00:00:01", 1_000_000),
        ("1970-01-02", 86_400_000_000),
        ("", None),
        ("noon", None),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ("9999-12-31T23:59:59-14:00", None),
    ],
)
def test_times_as_gateways_write_them(text: str, time: int | None) -> None:
    """ISO 8601 in its variants is read as UTC; anything else is no time."""
    assert parse_time(text) == time


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
@example(-33_765_897_600_000_000)  # the year 900
def test_format_is_exact(time: int) -> None:
    """A timestamp is written with six fractional digits and Z, and reads back exactly."""
    text = format_time(time)
    assert len(text) == 27
    assert text.endswith("Z")
    assert parse_time(text) == time
