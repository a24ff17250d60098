"""Remembers in few bytes when devices were written into their list. Does no I/O."""

from array import array
from hashlib import blake2b

_WAYS = 4  # places that a device may have
_BYTES = 8  # of a place: 36 bits that tell the device, and the minute
_MINUTE = 60_000_000  # microseconds
_MINUTE_BITS = 28
_LAST_MINUTE = (1 << _MINUTE_BITS) - 1  # in the year 2480


class Heard:
    """A table of fixed size: 8 bytes a device, of which the one heard longest ago gives way.

    Forgetting costs a look into the list. Two devices are taken for one another once in 2**55.
    """

    def __init__(self, size: int = 16_777_216) -> None:
        self._sets = size // _BYTES // _WAYS
        self._places = array("Q", [0]) * (self._sets * _WAYS)

    def last(self, device: str) -> int | None:
        """Return when a device was last noted, in microseconds since 1970, to the minute."""
        first, tag = self._find(device)
        for place in self._places[first : first + _WAYS]:
            if place and place >> _MINUTE_BITS == tag:
                return (place & _LAST_MINUTE) * _MINUTE
        return None

    def note(self, device: str, time: int) -> None:
        """Remember when a device was heard."""
        first, tag = self._find(device)
        places = self._places[first : first + _WAYS]
        same = [number for number, place in enumerate(places) if place >> _MINUTE_BITS == tag]
        oldest = min(range(_WAYS), key=lambda n: places[n] & _LAST_MINUTE)
        minute = min(max(time // _MINUTE, 0), _LAST_MINUTE)
        self._places[first + (same[0] if same else oldest)] = tag << _MINUTE_BITS | minute

    def _find(self, device: str) -> tuple[int, int]:
        """Return the first of a device's places, and what tells it from others there."""
        digest = int.from_bytes(blake2b(device.encode(), digest_size=16).digest())
        return digest % self._sets * _WAYS, (digest >> 64) % ((1 << 36) - 1) + 1
