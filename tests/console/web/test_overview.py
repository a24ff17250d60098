"""What is said of devices and gateways, from their last uplinks."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.store.recent import Recent
from console.web.overview import Gateway, Look, Reception, best, gateways, heard_by, look, reading
from contract.rows import Row, Value
from contract.silence import Expected, Intervals, load_intervals
from contract.times import format_time

_DEVICE = "a1/d1"
_MINUTE = 60_000_000  # microseconds
_NOW = 1_790_000_000_000_000


def _uplink(minutes_ago: int, **more: Value) -> Row:
    time = format_time(_NOW - minutes_ago * _MINUTE)
    return {"device": _DEVICE, "timestamp": time, "seqno": 100 - minutes_ago, **more}


def _look(*rows: Row, last_seen: int | None = None, intervals: Intervals | None = None) -> Look:
    return look(Recent(_DEVICE, rows), last_seen, intervals or Intervals(), _NOW)


def test_a_device() -> None:
    """Its newest uplink gives time and reading, all of them what is missing and how well."""
    found = _look(
        _uplink(1, decoded={"t": Decimal("1.5")}, gwrx=[{"eui": "g1", "rssi": -90, "lsnr": 3}]),
        _uplink(2, name="Cellar", gwrx=[{"eui": "g1", "rssi": -80, "lsnr": -1}]),
        _uplink(3, name="Old name"),
        _uplink(6, decoded={"t": 9}),
    )
    assert found == Look(
        looked=_NOW,
        device=_DEVICE,
        name="Cellar",
        last=_NOW - _MINUTE,
        expected=Expected(_MINUTE, 3),
        uplinks=4,
        missing=2,
        rssi=-80,
        lsnr=3,
        reading="t 1.5",
        error="",
        receptions=(Reception("g1", _NOW - _MINUTE, -80, 3),),
    )
    assert not found.silent


def test_a_device_whose_uplinks_have_expired() -> None:
    """It is as old as the list says, and nothing is expected of it; or nothing is known at all."""
    found = _look(last_seen=_NOW - 900 * _MINUTE)
    assert (found.last, found.uplinks, found.reading) == (_NOW - 900 * _MINUTE, 0, "")
    assert not found.silent
    assert _look().last is None
    assert not _look().silent


def test_a_device_whose_interval_is_noted() -> None:
    """It holds where too few uplinks are left to learn it."""
    row = _uplink(60)
    assert not look(Recent(_DEVICE, (row,)), None, Intervals(), _NOW).silent
    assert look(Recent(_DEVICE, (row,)), None, Intervals(), _NOW, 10 * _MINUTE).silent


@pytest.mark.parametrize(("minutes_ago", "silent"), [(1, False), (35, False), (36, True)])
def test_a_silent_device(minutes_ago: int, *, silent: bool) -> None:
    """It is silent when it has missed three of its ten minutes, and the last is late."""
    rows = [_uplink(minutes_ago + number * 10) for number in range(8)]
    assert _look(*rows).silent == silent


def test_a_device_whose_interval_is_said(tmp_path: Path) -> None:
    """A file of intervals is believed, for devices that have a stranger's name, too."""
    path = tmp_path / "intervals.toml"
    path.write_text('[[interval]]\ndevice = "d1"\nevery = "1m"\nmissed = 1\n')
    intervals = load_intervals(path)
    assert _look(_uplink(5), intervals=intervals).silent
    for odd in ("d1", "a/b/d1", "", "<img src=x>/</script>"):
        assert not look(Recent(odd, ()), _NOW, intervals, _NOW).silent


def test_an_error_of_the_codec() -> None:
    """Where the newest uplink has no reading, there is why, and no older reading in its place."""
    error: Value = {"code": "CODEC_ERROR", "message": "too short"}
    found = _look(_uplink(1, decode_error=error), _uplink(2, decoded={"t": 1}))
    assert (found.reading, found.error) == ("", "CODEC_ERROR: too short")


@pytest.mark.parametrize(
    ("decoded", "text"),
    [
        ({}, ""),
        ({"a": 1, "b": True, "c": "x"}, "a 1, b true, c x"),
        ({"a": {"b": {"c": Decimal("0.50")}}}, "a.b.c 0.50"),
        ({"a": 1, "b": 2, "c": 3, "d": 4}, "a 1, b 2, c 3, …"),
    ],
)
def test_a_reading_in_one_line(decoded: dict[str, Value], text: str) -> None:
    """Its first values are named, and more are hinted at."""
    row = _uplink(1, decoded=decoded, decode_warnings=["damp"], port1_bytes=[1])
    assert reading(row, 3) == text


def test_gateways() -> None:
    """A gateway is as new as its newest uplink, counts each device once, and has its best."""
    one: Value = [{"eui": "g2", "rssi": -70}, {"eui": "g1", "rssi": -99, "lsnr": 2}]
    other: Value = [{"eui": "g1", "rssi": -50, "lsnr": Decimal("-1.5")}]
    looks = [
        _look(_uplink(5, gwrx=one), _uplink(6, gwrx=one)),
        _look(_uplink(3, gwrx=other), _uplink(4, gwrx=other)),
    ]
    assert gateways(looks) == [
        Gateway("g1", _NOW - 3 * _MINUTE, 2, -50, 2),
        Gateway("g2", _NOW - 5 * _MINUTE, 1, -70, None),
    ]
    assert gateways([]) == []


@pytest.mark.parametrize(
    "gwrx", [None, "", "text", 5, {}, {"eui": "g"}, [], [None, 5, "x", [], {}, {"eui": None}]]
)
def test_receptions_of_another_form(gwrx: Value) -> None:
    """Whatever else is stored there names no gateway."""
    assert heard_by(_uplink(1, gwrx=gwrx)) == []
    assert _look(_uplink(1, gwrx=gwrx)).receptions == ()


def test_a_gateway_that_says_no_numbers() -> None:
    """It is known by its EUI, whatever that is, and by nothing else."""
    said: Value = [{"eui": 5, "rssi": "loud", "lsnr": True}, {"eui": "g", "rssi": [1]}]
    assert _look(_uplink(1, gwrx=said)).receptions == (
        Reception("5", _NOW - _MINUTE, None, None),
        Reception("g", _NOW - _MINUTE, None, None),
    )


_ODD: list[Value] = [None, True, 5, Decimal("1.5"), Decimal("1e99"), "", "text", [], {}]
_FIELDS = ("seqno", "gwrx", "motetx", "decoded", "decode_error", "name", "port1_bytes")
_VALUES: st.SearchStrategy[Value] = st.recursive(
    st.sampled_from(_ODD),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["eui", "rssi", "lsnr", "code"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_ROWS = st.fixed_dictionaries(
    {"timestamp": st.sampled_from([format_time(_NOW), "", "yesterday"])},
    optional=dict.fromkeys(_FIELDS, _VALUES),
)


@given(st.lists(_ROWS, max_size=3))
def test_any_row(rows: list[dict[str, Value]]) -> None:
    """Whatever is stored, a device has a line."""
    found = _look(*rows)
    assert found.uplinks == len(rows)
    gateways([found])


@given(st.lists(st.integers() | st.decimals(allow_nan=False, allow_infinity=False)))
def test_the_best(numbers: list[int | Decimal]) -> None:
    """The greatest number is best, among what is none; of none there is no best."""
    mixed: list[Value] = [None, True, "9", *numbers, [1], {}]
    assert best(mixed) == max(numbers, default=None)
