"""Splits the network server's byte stream into frames. Does no I/O."""

from bridge.messages.rejection import EXCERPT, BrokenFrame, Reason, excerpt


class Framer:
    """Turns reads of any size into frames; one for each connection.

    A frame ends with NUL. A NUL with nothing before it is a keep-alive and yields nothing.
    Never holds more than ``max_frame`` bytes between calls: longer frames, without their NUL, are
    oversized.
    """

    def __init__(self, max_frame: int) -> None:
        self._max_frame = max_frame
        self._tail = bytearray()  # the beginning of a frame whose NUL has not come yet
        self._oversized = False

    def feed(self, data: bytes) -> list[bytes | BrokenFrame]:
        """Take what one read returned; return the frames it completes, in order."""
        *whole, rest = data.split(b"\0")
        frames: list[bytes | BrokenFrame] = []
        if whole and self._tail:
            self._extend(whole.pop(0))
            frames.append(self._take_tail())
        frames += [
            piece if len(piece) <= self._max_frame else _oversized(piece)
            for piece in whole
            if piece
        ]
        if rest:
            self._extend(rest)
        return frames

    def end(self) -> BrokenFrame | None:
        """Return the frame that the end of the connection cut off, if it did."""
        return BrokenFrame(Reason.TRUNCATED, bytes(self._tail[:EXCERPT])) if self._tail else None

    def _extend(self, piece: bytes) -> None:
        if self._oversized:
            return
        self._tail += piece
        if len(self._tail) > self._max_frame:
            self._oversized = True
            del self._tail[EXCERPT:]

    def _take_tail(self) -> bytes | BrokenFrame:
        taken = bytes(self._tail)
        frame = _oversized(taken) if self._oversized else taken
        self._tail.clear()
        self._oversized = False
        return frame


def _oversized(frame: bytes) -> BrokenFrame:
    return BrokenFrame(Reason.OVERSIZED, excerpt(frame))
