"""The clocks that the bridge goes by."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """The host's clocks, passed in so that tests can set them."""

    wall: Callable[[], int]
    """Microseconds since 1970."""
    monotonic: Callable[[], float]
    """Seconds; never goes back."""
