"""A device may tell some events at once, and then one from time to time."""

from bridge.sources.pace import Pace

AT_ONCE, EVERY = 20, 10.0


def test_some_at_once_and_then_one_from_time_to_time() -> None:
    """What comes faster is dropped, and a quiet device may tell as many at once again."""
    pace = Pace(AT_ONCE, EVERY)
    assert sum(pace.allows("a/d", 100.0) for _ in range(1000)) == AT_ONCE
    assert not pace.allows("a/d", 100.0 + EVERY / 2)
    assert pace.allows("a/d", 100.0 + EVERY)
    assert not pace.allows("a/d", 100.0 + EVERY)
    assert sum(pace.allows("a/d", 10_000.0) for _ in range(1000)) == AT_ONCE


def test_devices_do_not_wait_for_each_other() -> None:
    """One that joins without end takes nothing from the others."""
    pace = Pace(AT_ONCE, EVERY)
    for _ in range(1000):
        pace.allows("a/flood", 0.0)
    assert pace.allows("a/d", 0.0)


def test_it_remembers_a_bounded_number_of_devices() -> None:
    """A flood of names forgets the oldest, and takes no more memory."""
    pace = Pace(AT_ONCE, EVERY)
    for number in range(20_000):
        assert pace.allows(f"a/{number}", 0.0)
    assert len(pace._busy_until) == 10_000  # noqa: SLF001  # memory is the behaviour


def test_a_clock_that_went_back_holds_nobody_up() -> None:
    """After a time far ahead a name begins anew; a small step back changes nothing."""
    pace = Pace(AT_ONCE, EVERY)
    assert sum(pace.allows("a/d", 1_000_000.0) for _ in range(1000)) == AT_ONCE
    assert not any(pace.allows("a/d", 1_000_000.0 - number % 7) for number in range(1000))
    assert sum(pace.allows("a/d", 100.0) for _ in range(1000)) == AT_ONCE
    assert pace.allows("a/d", 100.0 + EVERY)
