"""What the page of a device draws and lists."""

from decimal import Decimal

from console.web.series import Chart, Series, Uplink, uplink
from contract.rows import Row, Value

MINUTE = 60_000  # milliseconds
TEN = 1_795_255_200_000  # 2026-11-21T10:00:00Z


def row(number: int, **attributes: Value) -> Row:
    """Return an uplink of a minute past ten."""
    return {"device": "a/d", "timestamp": f"2026-11-21T10:{number:02}:00.000000Z", **attributes}


def series(rows: list[Row]) -> Series:
    """Return what is made of uplinks, the newest first."""
    found = Series()
    for each in rows:
        found.add(each)
    return found


def test_each_number_of_a_reading_is_a_chart() -> None:
    """Numbers are drawn by name, the earliest first, the signal last; texts are not."""
    rows = [
        row(2, decoded={"t": Decimal("20.5"), "place": {"floor": 2}, "open": True, "is": "warm"}),
        row(1, decoded={"t": 20}, gwrx=[{"rssi": -90, "lsnr": 5}, {"rssi": -60, "lsnr": -3}]),
    ]
    found = series(rows)
    assert found.charts == [
        Chart("place.floor", [TEN + 2 * MINUTE], [2.0]),
        Chart("t", [TEN + MINUTE, TEN + 2 * MINUTE], [20.0, 20.5]),
        Chart("rssi", [TEN + MINUTE], [-60.0]),
        Chart("lsnr", [TEN + MINUTE], [-3.0]),
    ]
    assert (found.beyond, found.count, found.first) == ([], 2, rows[1]["timestamp"])


def test_a_codec_with_very_many_numbers_is_drawn_in_part() -> None:
    """Charts are bounded, the signal has its own, and some names of the others are told."""
    decoded: Value = {f"n{number:03}": number for number in range(1000)}
    found = series([row(1, decoded=decoded, gwrx=[{"rssi": -60, "lsnr": 1}])])
    names = [each.name for each in found.charts]
    assert names == [*(f"n{number:03}" for number in range(22)), "rssi", "lsnr"]
    assert found.beyond == [f"n{number:03}" for number in range(22, 42)]
    assert len(uplink(row(1, decoded=decoded)).values) == 24


def test_a_number_that_no_float_can_hold_is_drawn_nowhere() -> None:
    """What gateways say may be stored as text of JSON, which may have any number."""
    gwrx: Value = [{"rssi": 10**400, "lsnr": Decimal("1e400")}]
    found = series([row(1, gwrx=gwrx, decoded={"t": 1})])
    assert [each.name for each in found.charts] == ["t"]


def test_frames_are_missing_before_the_uplink_that_shows_it() -> None:
    """The time is that of the uplink after a gap; one that came late fills it."""
    rows = [
        row(number, seqno=seqno) for number, seqno in ((1, 5), (2, 8), (3, 9), (4, 11), (5, 10))
    ]
    assert series(rows[::-1]).missing == [(TEN + 2 * MINUTE, 2)]


def test_an_uplink_is_listed_with_its_reading_and_gateways() -> None:
    """Each gateway is named, with what it says of the signal."""
    gwrx: Value = [{"eui": "g1", "rssi": -70, "lsnr": Decimal("7.5")}, {"eui": "g2"}, {"rssi": -90}]
    shown = uplink(row(1, seqno=3, port2_bytes=[1, 254], gwrx=gwrx, decoded={"t": 21, "on": True}))
    assert shown == Uplink(
        timestamp="2026-11-21T10:01:00.000000Z",
        seqno="3",
        port="2",
        bytes="01fe",
        reading="t 21, on true",
        error="",
        signal="g1 -70 dBm 7.5 dB, g2",
        values={"rssi": -70.0, "lsnr": 7.5, "t": 21.0},
    )


def test_an_uplink_without_a_reading_has_its_error() -> None:
    """The reason stands in the place of the reading."""
    shown = uplink(row(1, decode_error={"code": "timeout", "message": "after 200 ms"}))
    assert (shown.reading, shown.error) == ("", "timeout: after 200 ms")
