"""Whatever the stream, nothing breaks: every file of tests/corpus, and what mutation makes of it.

``python -m tests.bridge.messages.fuzz`` looks for more, guided by coverage.
"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.sources.semtech.framing import Framer
from tests.bridge.messages.invariants import LIMITS, check_framing, check_stream
from tests.bridge.sources.semtech.test_framing import cut, feed

FILES = sorted((Path(__file__).with_name("corpus")).iterdir())
STREAMS = st.sampled_from([file.read_bytes() for file in FILES])
PLACES = st.integers(0, 4096)

quick = settings(max_examples=250, derandomize=True, database=None, deadline=None)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_of_the_corpus(file: Path) -> None:
    """A stream that once was of interest breaks nothing."""
    check_stream(file.read_bytes())


def test_the_corpus_is_small_and_reaches_all_the_way() -> None:
    """The files stay small and few, and many of them become messages."""
    assert len(FILES) <= 60
    assert all(file.stat().st_size <= 4096 for file in FILES)
    assert sum(bool(check_stream(file.read_bytes())) for file in FILES) >= 30


@quick
@given(STREAMS, st.lists(st.tuples(PLACES, st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bits(stream: bytes, flips: list[tuple[int, int]]) -> None:
    """A few bytes received wrong break nothing."""
    changed = bytearray(stream)
    for place, bits in flips:
        changed[place % len(stream)] ^= bits
    check_stream(bytes(changed))


@quick
@given(STREAMS, PLACES)
def test_truncation(stream: bytes, place: int) -> None:
    """A stream that ends anywhere breaks nothing, even where a NUL follows."""
    check_stream(stream[: place % len(stream)] + b"\0")


@quick
@given(STREAMS, PLACES, STREAMS, PLACES)
def test_splices(one: bytes, end: int, other: bytes, start: int) -> None:
    """The beginning of one stream with the end of another breaks nothing."""
    check_stream(one[: end % (len(one) + 1)] + other[start % len(other) :])


@quick
@given(st.lists(STREAMS, min_size=1, max_size=3), st.lists(PLACES), st.sampled_from(LIMITS))
def test_cuts_at_any_place(streams: list[bytes], places: list[int], limit: int) -> None:
    """Reads that end anywhere give the frames of one read."""
    stream = b"".join(streams)
    assert feed(Framer(limit), cut(stream, places)) == check_framing(stream, limit)
