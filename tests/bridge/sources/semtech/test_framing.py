"""Frames are found in the byte stream whatever TCP does to it."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from bridge.messages.rejection import BrokenFrame, Reason
from bridge.sources.semtech.framing import Framer

MAX_FRAME = 1000
FRAMES = st.lists(st.binary(min_size=1, max_size=40).map(lambda data: data.replace(b"\0", b"x")))


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """Cut ``stream`` at each of ``places``."""
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def feed(framer: Framer, reads: list[bytes]) -> list[bytes | BrokenFrame]:
    """Feed every read; return all frames."""
    return [frame for read in reads for frame in framer.feed(read)]


@given(FRAMES, st.lists(st.integers(min_value=0)))
@example([b"a", b"bc"], list(range(10)))
def test_any_split_gives_the_same_frames(frames: list[bytes], places: list[int]) -> None:
    """The frames are the same whatever the reads are."""
    stream = b"".join(frame + b"\0" for frame in frames)
    assert feed(Framer(MAX_FRAME), cut(stream, places)) == frames


def test_split_at_every_byte() -> None:
    """One read in two, at every byte of two frames and a keep-alive, changes nothing."""
    stream = b'{"a":1}\0\0{"b":2}\0'
    for place in range(len(stream) + 1):
        reads = [stream[:place], stream[place:]]
        assert feed(Framer(MAX_FRAME), reads) == [b'{"a":1}', b'{"b":2}']


def test_byte_by_byte() -> None:
    """Reads of one byte give the frames too."""
    stream = b"first\0second\0"
    reads = [bytes([byte]) for byte in stream]
    assert feed(Framer(MAX_FRAME), reads) == [b"first", b"second"]


def test_keep_alives_are_no_frames() -> None:
    """NULs with nothing before them yield nothing."""
    assert Framer(MAX_FRAME).feed(b"\0\0\0") == []


def test_longest_frame_is_accepted() -> None:
    """A frame of exactly the limit passes, in one read or two."""
    longest = b"x" * MAX_FRAME
    assert Framer(MAX_FRAME).feed(longest + b"\0") == [longest]
    assert feed(Framer(MAX_FRAME), [longest[:9], longest[9:] + b"\0"]) == [longest]


def test_oversized_frame_is_dropped_up_to_its_nul() -> None:
    """One byte too many drops the frame, says how it began, and spares the next frame."""
    stream = b"y" * (MAX_FRAME + 1) + b"\0good\0"
    for reads in ([stream], [stream[:70_000], stream[70_000:]], [stream[:3], stream[3:]]):
        broken, good = feed(Framer(MAX_FRAME), reads)
        assert good == b"good"
        assert isinstance(broken, BrokenFrame)
        assert broken.reason is Reason.OVERSIZED
        assert broken.excerpt == b"y" * 120


def test_oversized_frame_between_others_in_one_read() -> None:
    """An oversized frame in the middle of a read is dropped alone."""
    first, broken, last = Framer(MAX_FRAME).feed(b"a\0" + b"y" * (MAX_FRAME + 1) + b"\0b\0")
    assert (first, last) == (b"a", b"b")
    assert isinstance(broken, BrokenFrame)


def test_endless_frame_takes_no_memory() -> None:
    """A frame without end is not collected."""
    framer = Framer(MAX_FRAME)
    for _ in range(100):
        assert framer.feed(b"z" * MAX_FRAME) == []
    assert len(framer._tail) <= MAX_FRAME  # noqa: SLF001  # memory is the behaviour


def test_end_in_a_frame_is_noticed() -> None:
    """A connection that ends inside a frame says so, with the frame's beginning."""
    framer = Framer(MAX_FRAME)
    framer.feed(b"whole\0half")
    assert framer.end() == BrokenFrame(Reason.TRUNCATED, b"half")


def test_end_between_frames_is_clean() -> None:
    """A connection that ends after a NUL leaves nothing."""
    framer = Framer(MAX_FRAME)
    framer.feed(b"whole\0")
    assert framer.end() is None
