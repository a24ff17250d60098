"""Days of devices that die, come back and lose uplinks, and of networks that fail, at random."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest
from silence.known import Memory

from tests.silence.world import DAY, HOUR, MINUTE, START, World

_DAYS = 4
_QUIET = 2 * DAY  # at the end, in which nothing changes any more
_RETENTIONS = (99 * DAY, 20 * HOUR)  # the slowest has less than four uplinks when it is silent
_INTERVALS = (5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR)
_EVERY = 5 * MINUTE

Span = tuple[int, int]


@dataclass(frozen=True)
class Play:
    """Devices with their intervals, when which was dead, and when the network was."""

    intervals: dict[str, int]
    dead: dict[str, list[Span]]
    outages: list[Span]

    def uplinks(self, random: Random) -> list[tuple[int, str]]:
        """Return all uplinks that are stored: of twenty one is lost, and none is quite on time."""
        return sorted(
            (time, name) for name in self.intervals for time in self._of_device(name, random)
        )

    def _of_device(self, name: str, random: Random) -> Iterator[int]:
        every = self.intervals[name]
        lost = [*self.outages, *self.dead[name]]
        first = START - 20 * every - random.randrange(every)
        for due in range(first, START + _DAYS * DAY + _QUIET, every):
            time = due + random.randrange(every // 20)
            if random.random() > 0.05 and not any(begin <= time < end for begin, end in lost):
                yield time


def spans(random: Random, number: int, longest: int) -> list[Span]:
    """Return periods of the days at random; some last to the end of all."""
    begins = [START + random.randrange(_DAYS * DAY) for _ in range(number)]
    return [(begin, begin + random.randrange(longest)) for begin in begins]


def play(random: Random) -> Play:
    """Make up a network, and what befalls it."""
    names = [f"a/{number}" for number in range(random.randint(3, 12))]
    dead = {name: spans(random, random.choice((0, 0, 1, 3)), DAY) for name in names}
    for_good = random.choice(names[1:])
    dead[for_good].append((START + random.randrange(_DAYS * DAY), START + 99 * DAY))
    intervals = {name: random.choice(_INTERVALS) for name in names}
    return Play(intervals, dead, spans(random, random.choice((0, 1, 2)), 12 * HOUR))


@pytest.mark.parametrize("seed", range(40))
def test_what_is_told_is_true_and_complete(seed: int) -> None:
    """Nobody is said to be silent who is not, and at the end all who are have been."""
    random = Random(seed)
    made = play(random)
    coming = made.uplinks(random)
    heard = dict.fromkeys(made.intervals, 0)
    world, told = World(retention=random.choice(_RETENTIONS)), set[str]()
    for now in range(START, START + _DAYS * DAY + _QUIET, _EVERY):
        while coming and coming[0][0] <= now:
            time, name = coming.pop(0)
            world.hear(name, time)
            heard[name] = time
        if random.random() < 0.02:
            world.memory = Memory()
        world.time_for = random.choice((2, 5, 100))
        before = world.network
        outcome = world.run(now)
        for each in outcome.fallen:
            is_stored = heard[each.name] > now - world.retention
            last_seen = world.list[each.name].last_seen
            assert each.newest == (heard[each.name] if is_stored else last_seen)
            assert now - each.newest > 3 * 0.9 * made.intervals[each.name]
            assert each.name not in told
            told.add(each.name)
        for name, time in outcome.back.items():
            assert name in told
            assert now - time < 10 * MINUTE or world.time_for < 100 or before != world.network
            told.remove(name)
        if outcome.network.silent_since is not None:
            assert not outcome.fallen
            newest = max(heard.values())
            assert outcome.network.silent_since == newest or world.time_for < 100
        assert told == world.silent
    gone = {name for name in heard if now - heard[name] > 4 * made.intervals[name]}
    learnt = {name for name in heard if world.list[name].interval is not None}
    assert learnt == set(heard) or world.retention < DAY
    assert gone & learnt <= told
    assert all(now - heard[name] > 2.7 * made.intervals[name] for name in told)
    assert world.network.silent_since is None


@pytest.mark.parametrize("seed", range(5))
def test_a_large_network_that_fails_is_one_message(seed: int) -> None:
    """Some of its devices are dead, and one that has just lost its uplinks may be told before."""
    random = Random(seed)
    names = [f"a/{number}" for number in range(150)]
    fails = START + DAY + random.randrange(DAY)
    dead = {name: [(START, fails + 9 * DAY)] if random.random() < 0.02 else [] for name in names}
    intervals = {name: random.choice(_INTERVALS) for name in names}
    coming = iter(Play(intervals, dead, [(fails, fails + 9 * DAY)]).uplinks(random))
    world = World()
    for time, name in coming:
        world.hear(name, time)
    world.run_until(fails - fails % _EVERY - 6 * HOUR, fails, _EVERY)
    world.told.clear()
    silent = world.silent
    world.run_until(fails - fails % _EVERY + _EVERY, fails + 2 * DAY, _EVERY)
    assert world.told[-1] == "the network is silent"
    assert len(world.told) <= 2
    assert len(world.silent - silent) <= 1
