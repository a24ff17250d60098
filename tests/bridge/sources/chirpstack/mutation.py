"""Changes events in their structure: values of every kind in every place."""

import json
from collections.abc import Iterator, MutableMapping, MutableSequence
from typing import cast

from hypothesis import strategies as st

from tests.bridge.sources.chirpstack.published import EVENTS, Published

Change = tuple[int, object]
"""Which place, counted through the event as it is written, and what comes there."""

_GONE, _DOUBLED = object(), object()
_Container = MutableMapping[object, object] | MutableSequence[object]

_ODD: tuple[object, ...] = (
    *(None, True, False, "", 0, -1, 255, 256, 2**31, -(2**31) - 1, 2**32, 2**64, 10**40),
    *(0.5, -0.0, 5e-324, 1e126, 1e300, float("nan"), float("inf"), 10**12, "7", "1e400", "NaN"),
    *([], {}, [None], {"": ""}, {"": {"": 1}}, {"a": {"": 1e300}}, [[[[]]]], "x" * 300),
    *("9999-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00+14:00", "2026-11-25"),
    *("+", "#", "a/b", "..", "\ud800", "\0", "é", "EXPIRED", "F_CNT_DOWN", "CR_", "CR_LI_4_5"),
    *("A", "AQ", "====", "null", "queue_item_id", "applicationID"),
)
_TEXTS = st.text(max_size=20)
_VALUES = st.recursive(
    st.sampled_from(_ODD) | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=4,
)
changes: st.SearchStrategy[list[Change]] = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.sampled_from((*_ODD, _GONE, _DOUBLED)) | _VALUES,
    ),
    min_size=1,
    max_size=4,
)
published: st.SearchStrategy[Published] = st.sampled_from(EVENTS)


def changed(payload: bytes, changes: list[Change]) -> bytes:
    """Return an event with changes."""
    event = cast("object", json.loads(payload))
    for number, value in changes:
        places = [*_places(event)]
        if places:
            _change(*places[number % len(places)], value)
    return json.dumps(event, ensure_ascii=bool(changes[0][0] % 2)).encode(errors="replace")


def _places(value: object) -> Iterator[tuple[_Container, object]]:
    """Yield where values are: their container, and the key or number that they have there."""
    if isinstance(value, dict | list):
        for key, each in [*value.items()] if isinstance(value, dict) else [*enumerate(value)]:
            yield value, key
            yield from _places(each)


def _change(container: _Container, key: object, value: object) -> None:
    places = cast("MutableMapping[object, object]", container)
    if value is _GONE:
        del places[key]
    elif value is _DOUBLED and isinstance(container, list):
        container.append(places[cast("int", key)])
    elif value is _DOUBLED:
        places[f"{key}_"] = places.pop(key)
    else:
        places[key] = json.loads(json.dumps(value))  # each its own
