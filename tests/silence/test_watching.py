"""Devices that fall silent are told once, and once when they are back; so is the network."""

from dataclasses import replace
from pathlib import Path

import pytest
from silence.judging import Fallen
from silence.known import Memory, Network

from contract.silence import Intervals, load_intervals
from tests.silence.world import DAY, HOUR, MINUTE, START, World

_SILENT, _BACK = "1 device is silent", "1 device is heard again"
_NETWORK, _NETWORK_BACK = "the network is silent", "the network is heard again"


@pytest.fixture
def world() -> World:
    """Return a network of one device that has died and twenty that go on, each quarter-hourly."""
    world = World()
    world.hear_regularly("a/dead", 15 * MINUTE, START - DAY, START)
    for number in range(20):
        later = number * 30_000_000
        world.hear_regularly(f"a/{number}", 15 * MINUTE, START - DAY, START + 5 * HOUR + later)
    return world


def said(folder: Path, text: str) -> Intervals:
    """Return what a file of intervals says."""
    path = folder / "intervals.toml"
    path.write_text(text)
    return load_intervals(path)


def test_it_is_told_once(world: World) -> None:
    """After three intervals, the last of them late, however long the silence lasts."""
    world.run_until(START, START + 51 * MINUTE)
    assert world.told == []
    (fallen,) = world.run(START + 51 * MINUTE).fallen
    assert fallen == Fallen("a/dead", START, 15 * MINUTE, 3)
    world.run_until(START + 55 * MINUTE, START + 5 * HOUR)
    assert world.told == [_SILENT]


def test_it_is_told_once_when_it_is_back(world: World) -> None:
    """Long before the list tells: its uplinks are looked at as long as that takes."""
    world.run_until(START, START + HOUR)
    world.hear("a/dead", START + 65 * MINUTE)
    assert world.list["a/dead"].last_seen < START + 65 * MINUTE
    outcome = world.run(START + 66 * MINUTE)
    assert outcome.back == {"a/dead": START + 65 * MINUTE}
    assert (outcome.silent, world.silent) == (0, set())
    world.run_until(START + 70 * MINUTE, START + 5 * HOUR)
    assert world.told == [_SILENT, _BACK, _SILENT]


def test_the_list_tells_that_it_is_back(world: World) -> None:
    """After three hours nothing is looked at any more until then."""
    world.run_until(START, START + 4 * HOUR)
    world.run(START + 4 * HOUR)
    assert "a/dead" not in world.looks
    world.hear("a/dead", START + 4 * HOUR + MINUTE)
    assert world.run(START + 4 * HOUR + 5 * MINUTE).back == {"a/dead": START + 4 * HOUR + MINUTE}
    assert "a/dead" not in world.looks


def test_memory_only_saves_looks(world: World) -> None:
    """Without it the same is told, with more queries."""
    other = World()
    other.uplinks, other.list = world.uplinks, {**world.list}
    looks = [0, 0]
    for now in range(START, START + 5 * HOUR, 5 * MINUTE):
        other.memory = Memory()
        for number, each in enumerate((world, other)):
            each.run(now)
            looks[number] += len(each.looks)
    assert other.told == world.told == [_SILENT]
    assert looks[0] < looks[1] / 2


def test_a_device_costs_a_look_in_three_intervals(world: World) -> None:
    """The list alone clears many; what was looked at needs no look before it is due."""
    world.run(START + 51 * MINUTE)
    looks = 0
    for now in range(START + 55 * MINUTE, START + 5 * HOUR, 5 * MINUTE):
        world.run(now)
        looks += sum(name != "a/dead" for name in world.looks)
    most = 20 * (250 / 30 + 1)  # an uplink is up to 15 minutes old when it is looked at
    assert 20 < looks < most


def test_a_memory_that_is_full_forgets_nothing_that_it_has() -> None:
    """What has no room costs a look; what is over makes room."""
    memory = Memory(2)
    for name in ("a", "b", "c"):
        memory.settle(name, 10)
    assert [memory.is_settled(name, 10) for name in ("a", "b", "c")] == [True, True, False]
    memory.settle("a", 20)
    memory.forget(11)
    memory.settle("c", 20)
    assert [memory.is_settled(name, 15) for name in ("a", "b", "c")] == [True, False, True]


def test_devices_long_dead_are_one_message() -> None:
    """When the watch begins, with all that died in the past years."""
    world = World()
    for number in range(300):
        last = START - number * DAY - HOUR if number < 200 else START
        world.hear_regularly(f"a/{number}", 10 * MINUTE, last - 3 * HOUR, last)
    outcome = world.run(START + MINUTE)
    assert outcome.silent == 200
    assert world.told == ["200 devices are silent"]
    world.run(START + 6 * MINUTE)
    assert world.told == ["200 devices are silent"]


def test_a_network_that_is_silent_is_one_message() -> None:
    """Devices that become overdue meanwhile are not told, and none is marked."""
    world = World()
    for number in range(60):
        every = (1, 15, 60)[number % 3] * MINUTE
        world.hear_regularly(f"a/{number}", every, START - 2 * DAY, START - number * 500_000)
    world.run_until(START, START + DAY)
    assert world.told == [_NETWORK]
    assert world.network == Network(silent_since=START)
    assert world.silent == set()
    assert world.run(START + DAY).silent == 60


def test_a_network_that_is_back_is_one_message(world: World) -> None:
    """What stays away is told when it has missed as much from then on."""
    world = World()
    for number in range(60):
        last = START if number == 0 else START - 30 * number
        world.hear_regularly(f"a/{number}", 15 * MINUTE, START - DAY, last)
    world.run_until(START, START + 5 * HOUR)
    back = START + 5 * HOUR
    for number in range(58):
        world.hear_regularly(f"a/{number}", 15 * MINUTE, back, back + DAY - number)
    world.run_until(back + 5 * MINUTE, back + 50 * MINUTE)
    assert world.told == [_NETWORK, _NETWORK_BACK]
    assert world.network.heard_again == back + 5 * MINUTE
    world.run_until(back + 50 * MINUTE, back + DAY)
    assert world.told == [_NETWORK, _NETWORK_BACK, "2 devices are silent"]
    assert world.silent == {"a/58", "a/59"}


def test_a_network_that_is_away_again_is_told_again(world: World) -> None:
    """A single uplink in between does not make a thousand messages of it."""
    world = World()
    for number in range(60):
        world.hear_regularly(f"a/{number}", 15 * MINUTE, START - DAY, START - number)
    world.run_until(START, START + 5 * HOUR)
    world.hear("a/7", START + 5 * HOUR)
    world.run_until(START + 5 * HOUR + MINUTE, START + DAY)
    assert world.told == [_NETWORK, _NETWORK_BACK, _NETWORK]
    assert world.silent == set()


def test_a_device_alone_is_no_network() -> None:
    """Where others report too seldom for any to be missing, the device is told."""
    world = World()
    world.hear_regularly("a/busy", MINUTE, START - DAY, START)
    for number in range(10):
        world.hear_regularly(f"a/{number}", DAY, START - 9 * DAY, START - (2 * number + 1) * HOUR)
    world.run(START + 9 * MINUTE)
    assert world.told == [_SILENT]


def test_half_a_network_is_told_by_its_devices() -> None:
    """As long as the other half is heard, which the list may not show yet."""
    world = World()
    for number in range(400):
        last = START if number % 2 else START + 36 * MINUTE
        world.hear_regularly(f"a/{number}", 10 * MINUTE, last - 100 * MINUTE, last)
    world.run(START + 36 * MINUTE)
    assert world.told == ["200 devices are silent"]


def test_others_are_asked_before_the_network_is_said_to_be_silent() -> None:
    """Devices that need no look are well only as far as is known: the busiest are looked at."""
    world = World()
    for number in range(40):
        world.hear_regularly(f"a/{number}", HOUR, START - 2 * DAY, START - number)
    world.hear_regularly("a/dead", MINUTE, START - DAY, START)
    world.run(START)
    for number in range(40):
        world.hear(f"a/{number}", START + 3 * MINUTE + number)
    outcome = world.run(START + 9 * MINUTE)
    assert {"a/dead", "a/0", "a/39"} <= set(world.looks)
    assert [each.name for each in outcome.fallen] == ["a/dead"]


def test_an_interval_that_changed_is_learnt_in_a_day() -> None:
    """It is written when it is learnt, and later only if it changed by more than a quarter."""
    world = World()
    world.hear_regularly("a/d", 6 * HOUR, START - 20 * DAY, START)
    assert world.run(START).learnt == {"a/d": 6 * HOUR}
    world.hear_regularly("a/d", 7 * HOUR, START + HOUR, START + 10 * DAY)
    learnt = [world.run(now).learnt for now in range(START, START + 11 * DAY, 5 * MINUTE)]
    assert not any(learnt)
    last = START + 10 * DAY
    world.hear_regularly("a/d", HOUR, last + HOUR, last + 2 * DAY)
    learnt = [world.run(now).learnt for now in range(last + DAY, last + 2 * DAY, 5 * MINUTE)]
    assert [each for each in learnt if each] == [{"a/d": HOUR}]


def test_a_new_device_is_watched_when_enough_is_known() -> None:
    """Of the first uplinks nothing follows; it is looked at again the later the older they are."""
    world = World()
    world.hear("a/new", START, START + MINUTE, START + 2 * MINUTE)
    looks = 0
    for now in range(START + 2 * MINUTE, START + 10 * DAY, 5 * MINUTE):
        world.run(now)
        looks += len(world.looks)
    assert world.told == []
    assert looks < 20
    world.hear_regularly("a/new", HOUR, START + 10 * DAY, START + 11 * DAY)
    world.run_until(START + 11 * DAY, START + 12 * DAY)
    assert world.told == [_SILENT]


def test_what_a_file_says_holds(tmp_path: Path) -> None:
    """Its intervals need no learning, and of some devices nothing is expected."""
    text = (
        '[[interval]]\ndevice = "button"\nevery = "never"\n'
        '[[interval]]\ndevice = "slow"\nevery = "1d"\nmissed = 1\n'
    )
    world = World(said(tmp_path, text))
    for name in ("a/button", "a/slow"):
        world.hear_regularly(name, MINUTE, START - HOUR, START)
    world.run_until(START, START + DAY + 11 * MINUTE)
    assert world.told == [_SILENT]
    assert {each.interval for each in world.list.values()} == {None}
    assert world.list["a/slow"].silent_since == START
    assert "a/button" not in world.looks


def test_of_a_device_that_is_not_watched_any_more_nothing_is_told(
    world: World, tmp_path: Path
) -> None:
    """Its mark goes without a word when the file comes to say never."""
    world.run_until(START, START + HOUR)
    assert world.silent == {"a/dead"}
    world.intervals = said(tmp_path, '[[interval]]\ndevice = "dead"\nevery = "never"\n')
    assert world.run(START + HOUR).silent == 0
    assert (world.silent, world.told) == (set(), [_SILENT])


def test_uplinks_that_have_expired_are_told_once_at_most(world: World) -> None:
    """A silent device stays silent; one of which no uplink is left is not told at all."""
    world.hear("a/gone", START - 90 * DAY)
    world.run_until(START, START + HOUR)
    world.uplinks["a/dead"] = world.uplinks["a/gone"] = []
    world.run_until(START + HOUR, START + 5 * HOUR)
    assert (world.told, world.silent) == ([_SILENT], {"a/dead"})


@pytest.mark.parametrize(
    ("every", "retention"), [(7 * DAY, 30 * DAY), (DAY, 5 * DAY), (12 * HOUR, 3 * DAY)]
)
def test_a_device_whose_uplinks_expire_before_it_is_silent_is_told(
    every: int, retention: int
) -> None:
    """By the interval that was learnt while there were enough."""
    world = World(retention=retention)
    world.hear_regularly("a/slow", every, START - 9 * every, START)
    world.hear_regularly("a/well", HOUR, START - DAY, START + 5 * every)
    world.run_until(START, START + 5 * every, HOUR)
    assert world.told == [_SILENT]
    assert world.silent == {"a/slow"}
    assert world.list["a/slow"].interval == every


def test_of_what_is_never_silent_nothing_is_told_by_what_was_learnt(tmp_path: Path) -> None:
    """The file holds, whatever was learnt before it said so."""
    world = World()
    world.hear_regularly("a/button", HOUR, START - DAY, START)
    world.run(START)
    assert world.list["a/button"].interval == HOUR
    world.intervals = said(tmp_path, '[[interval]]\ndevice = "button"\nevery = "never"\n')
    world.uplinks.clear()
    world.run_until(START, START + DAY)
    assert world.told == []


def test_a_last_uplink_of_a_clock_that_is_ahead_is_told_once() -> None:
    """It is believed as the bridge believes it, and does not come as if it were new."""
    world = World()
    world.hear_regularly("a/dead", MINUTE, START - HOUR, START)
    world.hear("a/dead", START + 5 * MINUTE)
    world.hear_regularly("a/well", MINUTE, START - HOUR, START + HOUR)
    world.run_until(START + 4 * MINUTE, START + HOUR)
    assert world.told == [_SILENT]
    assert world.list["a/dead"].silent_since == START + 5 * MINUTE


def test_test_uplinks_do_not_count() -> None:
    """The devices of lora-bridge check are bridges."""
    world = World()
    world.hear_regularly("check/host-1", MINUTE, START - HOUR, START)
    world.run_until(START, START + DAY, HOUR)
    assert (world.told, world.looks) == ([], [])


def test_too_many_are_looked_at_one_run_after_the_other() -> None:
    """None is told without a look, and those of whom people know wait for the others."""
    world = World()
    for number in range(100):
        last = START - HOUR - number * MINUTE
        world.hear_regularly(f"a/{number:02}", 10 * MINUTE, last - 2 * HOUR, last)
    world.hear_regularly("a/well", DAY, START - 9 * DAY, START)
    world.run(START - 2 * HOUR)  # the intervals of some are learnt
    world.time_for = 30
    fallen = [{each.name for each in world.run(START + n * MINUTE).fallen} for n in range(4)]
    assert len(fallen[0]) == len(fallen[1]) == len(fallen[2]) == 30
    assert world.silent == {f"a/{number:02}" for number in range(100)}


def test_the_longest_overdue_come_first() -> None:
    """As the list has it, where there is no time for all."""
    world = World()
    for number in range(9):
        last = START - (number + 1) * HOUR
        world.hear_regularly(f"a/{number}", 10 * MINUTE, last - 3 * HOUR, last)
    world.hear_regularly("a/well", DAY, START - 9 * DAY, START)
    for now in range(START - 13 * HOUR, START, 5 * MINUTE):
        world.run(now)
        world.list = {name: replace(each, silent_since=None) for name, each in world.list.items()}
    world.time_for = 3
    world.memory = Memory()
    assert [each.name for each in world.run(START).fallen] == ["a/8", "a/7", "a/6"]
