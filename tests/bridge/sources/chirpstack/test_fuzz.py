"""Whatever comes on a topic, nothing breaks: what a server has published, and what becomes of it.

``python -m tests.bridge.sources.chirpstack.fuzz`` looks for more, guided by coverage.
"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bridge.sources.chirpstack.invariants import check, check_event
from tests.bridge.sources.chirpstack.mutation import Change, changed, changes, published
from tests.bridge.sources.chirpstack.published import EVENTS, Published, topic

FILES = sorted((Path(__file__).with_name("corpus")).iterdir())
STREAMS = st.sampled_from(
    [each.topic.encode() + b"\n" + each.payload for each in EVENTS]
    + [file.read_bytes() for file in FILES]
)
PLACES = st.integers(0, 4096)
KINDS = st.sampled_from(["up", "join", "ack", "txack", "status", "location", "log", "new"])

quick = settings(max_examples=250, derandomize=True, database=None, deadline=None)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_of_the_corpus(file: Path) -> None:
    """An event that once was of interest breaks nothing."""
    check(file.read_bytes())


def test_everything_that_a_server_has_published() -> None:
    """Each event tells something, whether topics are believed or payloads."""
    assert all(len(check_event(each.topic, each.payload)) >= 2 for each in EVENTS)


def test_the_corpus_is_small() -> None:
    """The files stay small and few."""
    assert len(FILES) <= 60
    assert all(file.stat().st_size <= 4096 for file in FILES)


@settings(quick, max_examples=500)
@given(published, changes)
def test_changed_values(event: Published, changes: list[Change]) -> None:
    """Values of any kind in any place break nothing."""
    check_event(event.topic, changed(event.payload, changes))


@quick
@given(published, changes, KINDS)
def test_events_of_another_kind(event: Published, changes: list[Change], kind: str) -> None:
    """An event on another's topic breaks nothing."""
    check_event(event.topic.rpartition("/")[0] + f"/{kind}", changed(event.payload, changes))


@quick
@given(STREAMS, st.lists(st.tuples(PLACES, st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bits(stream: bytes, flips: list[tuple[int, int]]) -> None:
    """A few bytes received wrong break nothing."""
    altered = bytearray(stream)
    for place, bits in flips:
        altered[place % len(stream)] ^= bits
    check(bytes(altered))


@quick
@given(STREAMS, PLACES)
def test_truncation(stream: bytes, place: int) -> None:
    """An event that ends anywhere breaks nothing."""
    check(stream[: place % len(stream)])


@quick
@given(STREAMS, PLACES, STREAMS, PLACES)
def test_splices(one: bytes, end: int, other: bytes, start: int) -> None:
    """The beginning of one event with the end of another breaks nothing."""
    check(one[: end % (len(one) + 1)] + other[start % len(other) :])


@quick
@given(KINDS | st.text(max_size=20), st.binary(max_size=200))
def test_any_bytes(kind: str, frame: bytes) -> None:
    """What is no event at all breaks nothing."""
    check_event(topic(kind), frame)
