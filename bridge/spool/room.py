"""Whether the spool may hold more: what waits is limited, and so is the disk. Does no I/O."""

from enum import Enum, auto

_MIN_FREE = 16_777_216
"""Bytes of the disk that the spool leaves free: to take messages out, SQLite needs room too."""
_ROOM_AGAIN = 0.95  # of max_bytes: a full spool takes messages again when less than that waits


class Change(Enum):
    """What has changed since the room was looked at last."""

    FULL = auto()
    ROOM_AGAIN = auto()


class Room:
    """Room for messages of at most ``max_bytes`` in all."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.full = False

    def weigh(self, held: int, free: int) -> Change | None:
        """Take note of the bytes that wait and of those that the disk has free."""
        if not self.full and (held >= self._max_bytes or free < _MIN_FREE):
            self.full = True
            return Change.FULL
        if self.full and held < _ROOM_AGAIN * self._max_bytes and free >= _MIN_FREE:
            self.full = False
            return Change.ROOM_AGAIN
        return None
