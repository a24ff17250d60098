"""Draws a field over time, in the terminal or as a picture."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from uniplot import plot_to_string

from console.show.columns import cells, plain_name, text
from console.show.curve import Points
from contract.errors import BridgeError
from contract.names import SORT_KEY
from contract.rows import Row, number
from contract.times import format_time, parse_time

_HEIGHT, _WIDEST, _BESIDE = 15, 100, 14  # characters; beside the chart are its values


def points(rows: Iterable[Row], name: str) -> list[tuple[int, float]]:
    """Return time and value of a field, from the earliest to the latest.

    Raises:
        BridgeError: the field is a number in none of the rows.

    """
    found, others = Points(), dict[str, None]()
    wanted = plain_name(name)
    for row in rows:
        shown = cells(row)
        value = number(shown.get(wanted))
        time = parse_time(str(row[SORT_KEY]))
        if value is not None and time is not None:
            found.add(time, float(value))
        else:
            others.update((each, None) for each in shown if number(shown[each]) is not None)
    if not found.in_order:
        there_are = f": there are {', '.join(map(text, others))}" if others else ""
        raise BridgeError(f"no uplink has a number in {name!r}{there_are}")
    return found.in_order


def draw(curve: list[tuple[int, float]], name: str, *, color: bool) -> str:
    """Return a chart for the terminal.

    Raises:
        BridgeError: the values are too large to be drawn.

    """
    values = [value for _, value in curve]
    if max(values) == min(values) == min(values) + 1:  # beyond 2**53 there is nothing between them
        raise BridgeError(f"{name} is too large for a terminal: draw it with --output")
    width = min(shutil.get_terminal_size().columns, _WIDEST) - _BESIDE
    return plot_to_string(
        ys=values,
        xs=_times(curve),
        lines=True,
        color=color,
        width=max(width, 1),
        height=_HEIGHT,
        title=name,
    )


def picture(curve: list[tuple[int, float]], name: str, device: str, path: Path) -> None:
    """Write a PNG or SVG, as the name of the file says."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(_times(curve), [value for _, value in curve], linewidth=1, marker=".", markersize=3)
    axes.set_ylabel(name, parse_math=False)
    first, last = (format_time(time)[:10] for time in (curve[0][0], curve[-1][0]))
    axes.set_title(
        f"{device}, {first}" + (f" to {last}" if last != first else ""), parse_math=False
    )
    axes.set_xlabel("UTC")
    axes.grid(visible=True, alpha=0.3)
    figure.savefig(path, dpi=150)


def _times(curve: list[tuple[int, float]]) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
    return np.array([time for time, _ in curve], dtype="datetime64[us]")
