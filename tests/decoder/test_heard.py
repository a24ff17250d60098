"""What an instance remembers of the devices that it wrote into their list."""

from decoder.heard import Heard

_MINUTE = 60_000_000
_NOW = 1_795_000_000_000_000 // _MINUTE * _MINUTE


def test_a_device_is_remembered_to_the_minute() -> None:
    """What was noted is told again, the newest of several."""
    heard = Heard(1024)
    assert heard.last("a/1") is None
    heard.note("a/1", _NOW + 59_000_000)
    assert heard.last("a/1") == _NOW
    heard.note("a/1", _NOW + _MINUTE)
    assert heard.last("a/1") == _NOW + _MINUTE
    assert heard.last("a/2") is None


def test_a_device_without_a_time_is_remembered() -> None:
    """The beginning of time is a time, not nothing."""
    heard = Heard(1024)
    heard.note("a/1", 0)
    assert heard.last("a/1") == 0


def test_the_memory_does_not_grow() -> None:
    """Of more devices than there are places, some are forgotten; none is told another's time."""
    heard = Heard(8 * 64)
    for number in range(1000):
        heard.note(f"a/{number}", number * _MINUTE)
    kept = {number for number in range(1000) if heard.last(f"a/{number}") is not None}
    assert 0 < len(kept) <= 64
    assert all(heard.last(f"a/{number}") == number * _MINUTE for number in kept)
    assert min(kept) > 500  # those heard longest ago gave way


def test_two_places_for_a_device_are_enough() -> None:
    """As a million devices have in 16 MiB: all but one of twenty-five are known."""
    heard = Heard(2 * 8 * 50_000)
    devices = [f"70b3d5e75e000001/{number:016x}" for number in range(50_000)]
    for device in devices:
        heard.note(device, _NOW)
    known = sum(heard.last(device) == _NOW for device in devices)
    assert known > 0.96 * len(devices)
