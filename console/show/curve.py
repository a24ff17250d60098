"""Thins a curve that has more points than any screen. Does no I/O."""

_MOST = 8192  # points that are drawn: more than any screen has columns


class Points:
    """A curve in bounded memory: what is too much for a picture is thinned, but for its extremes.

    Times are in microseconds since 1970, and either all come later or all earlier than before.
    """

    def __init__(self) -> None:
        self._points: list[tuple[int, float]] = []

    def add(self, time: int, value: float) -> None:
        """Take one more point."""
        self._points.append((time, value))
        if len(self._points) == 2 * _MOST:
            quartets = (self._points[at : at + 4] for at in range(0, 2 * _MOST, 4))
            self._points = [point for four in quartets for point in _extremes(four)]

    @property
    def in_order(self) -> list[tuple[int, float]]:
        """The points from the earliest to the latest."""
        return sorted(self._points)


def _extremes(four: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the lowest and the highest of some points, in their order."""
    places = range(len(four))
    lowest, highest = (choose(places, key=lambda at: four[at][1]) for choose in (min, max))
    return [four[at] for at in sorted({lowest, highest})]
