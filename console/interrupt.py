"""Ends a command at Ctrl-C where it can end well."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

INTERRUPTED = 130
"""Exit status of what Ctrl-C has ended before its end, as shells say it."""


@contextmanager
def interruptible() -> Iterator[Event]:
    """Give an event that Ctrl-C sets: what is begun is done to its end. A second one interrupts."""
    ended = Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        ended.set()

    before = signal.signal(signal.SIGINT, end)
    try:
        yield ended
    finally:
        signal.signal(signal.SIGINT, before)
