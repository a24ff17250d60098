"""The simulated frames are what a real network server writes."""

import random
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from bridge.messages.event import Notice
from bridge.sources.semtech.frames import parse
from bridge.sources.semtech.framing import Framer
from console.simulate.frames import APPLICATION, device_eui, frames, joins, pieces, with_statuses
from lab.rig.uplinks import uplink_of

NOW = 1_700_000_000_000_000


def stream(count: int, devices: int) -> bytes:
    """Return what the simulation writes for ``count`` frames."""
    return b"".join(islice(frames(devices, random.Random(1), lambda: NOW), count))


def test_every_frame_is_an_uplink() -> None:
    """All frames parse, and count up for each device."""
    uplinks = [uplink_of(f) for f in Framer(65_536).feed(stream(100, 10)) if isinstance(f, bytes)]
    found = [(u.application, u.device, u.seqno) for u in uplinks]
    assert found == [
        (APPLICATION, device_eui(device), seqno) for seqno in range(1, 11) for device in range(10)
    ]


def test_both_layouts_and_keep_alives_occur() -> None:
    """Frames of both layouts, with and without padding, lists and single receptions."""
    written = stream(100, 10)
    assert b'"userdata": {"seqno"' in written
    assert b'"token"' in written
    assert b'"gwrx": [' in written
    assert b'"gwrx": {' in written
    assert written.startswith(b"\0")
    assert b"}\0\0{" in written


def test_the_same_every_time() -> None:
    """Two simulations write the same, but for the times."""
    assert stream(50, 3) == stream(50, 3)


@given(st.binary(max_size=5000), st.randoms())
def test_pieces_join_to_the_whole(data: bytes, rng: random.Random) -> None:
    """Cutting loses nothing."""
    assert b"".join(pieces(data, rng)) == data


def test_statuses() -> None:
    """The first device has one at once, and each of several has one sooner or later."""
    uplinks = islice(frames(5, random.Random(1), lambda: NOW), 47 * 5)
    written = b"".join(with_statuses(uplinks, 5))
    told = [parse(bytes(f), None) for f in Framer(65_536).feed(written) if isinstance(f, bytes)]
    events = [each.events[0] for each in told if isinstance(each, Notice)]
    assert {each.kind for each in events} == {"status"}
    assert [each.device for each in events] == [device_eui(number) for number in (0, 2, 4, 1, 3)]


def test_joins() -> None:
    """Each device joins once."""
    told = [parse(bytes(f), None) for f in Framer(65_536).feed(joins(3)) if isinstance(f, bytes)]
    assert [each.events[0].device for each in told if isinstance(each, Notice)] == [
        device_eui(number) for number in range(3)
    ]
