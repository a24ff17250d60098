"""A field over time, as a chart or a picture."""

import math
from decimal import Decimal
from pathlib import Path

import pytest

from console.show.curve import Points
from console.show.plots import draw, picture, points
from contract.errors import BridgeError
from contract.rows import Row
from contract.times import format_time

_START = 1_790_000_000_000_000


def reading(number: int, value: object) -> Row:
    """Return a row, a second later for each ``number``."""
    decoded = {"outside": {"temperature": value}}
    row = {"device": "a/d", "timestamp": format_time(_START + number * 1_000_000)}
    return {**row, "decoded": decoded}  # type: ignore[dict-item]  # what a test stores


def test_a_curve_is_in_order_of_time() -> None:
    """Rows that come newest first make a curve that goes forward; what is no number is left out."""
    rows = [reading(2, Decimal("1.5")), reading(1, "broken"), reading(0, 3)]
    expected = [(_START, 3.0), (_START + 2_000_000, 1.5)]
    assert points(rows, "outside.temperature") == expected
    assert points(rows, "decoded.outside.temperature") == expected


def test_a_field_that_nobody_has_is_told_with_those_there_are() -> None:
    """The mistake names the fields that could be drawn."""
    row = {**reading(0, 3), "seqno": 4}
    with pytest.raises(BridgeError, match=r"'humidity': there are seqno, outside.temperature"):
        points([row], "humidity")


def test_a_million_points_keep_their_extremes_in_little_room() -> None:
    """Thinning keeps the highest and the lowest, wherever they are, and the ends nearly."""
    curve, count = Points(), 1_000_000
    for number in range(count):
        curve.add(number, math.sin(number / 1000) + 5 * (number == 123_457) - 5 * (number == 777))
    kept = curve.in_order
    assert 4000 < len(kept) < 17_000
    assert max(kept, key=lambda point: point[1])[0] == 123_457
    assert min(kept, key=lambda point: point[1])[0] == 777
    assert kept == sorted(kept)
    assert kept[0][0] < 2000
    assert kept[-1][0] > count - 2000


def test_points_that_come_twice_leave_the_extremes() -> None:
    """As when several uplinks are of the same millisecond."""
    curve = Points()
    for number in range(20_000):
        low = number // 4 * 4
        curve.add(*((low, 0.0), (low, 0.0), (low + 1, 9.0), (low + 2, 5.0))[number % 4])
    assert curve.in_order[:4] == [(0, 0.0), (1, 9.0), (4, 0.0), (5, 9.0)]


def test_a_chart_has_its_name_and_no_color_unless_asked() -> None:
    """What goes into a pipe is plain text."""
    curve = [(_START + number * 60_000_000, float(number)) for number in range(50)]
    chart = draw(curve, "temperature", color=False)
    assert "temperature" in chart
    assert "\x1b" not in chart
    assert draw(curve[:1], "one point", color=False)


def test_what_a_terminal_cannot_show_is_said() -> None:
    """Values beyond the charting library's reach end in one line."""
    with pytest.raises(BridgeError, match="temperature is too large for a terminal"):
        draw([(_START, 1e16)], "temperature", color=False)


def test_a_name_is_no_formula(tmp_path: Path) -> None:
    """What would be mathematics to the drawing library is a name as any other."""
    picture([(_START, 1.0)], "$a_{b$", "a/$d_{", tmp_path / "p.svg")
    assert (tmp_path / "p.svg").stat().st_size > 0


@pytest.mark.parametrize(("name", "magic"), [("p.png", b"\x89PNG"), ("p.svg", b"<?xml")])
def test_a_picture_is_of_the_kind_that_its_name_says(
    tmp_path: Path, name: str, magic: bytes
) -> None:
    """PNG and SVG are written."""
    picture([(_START, 1.0), (_START + 1_000_000, 2.0)], "temperature", "a/d", tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(magic)
