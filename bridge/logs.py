"""The log: lines for people, or an object in JSON for each. Nobody has to read it.

A thread writes the lines. If nobody takes them from standard error, the bridge goes on and counts
them instead.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from queue import Full, Queue
from select import select
from threading import Thread

import msgspec

from contract.terminal import harmless
from contract.times import format_time

_WAITING = 10_000  # lines
_PATIENCE = 0.5  # seconds that the bridge stands still, once, before it drops lines
_LAST = 2.0  # seconds at the end for what waits

FIELDS = ("device", "seqno")
"""What a line in JSON has beside its time, level and message, where it is about an uplink."""


class LogFormat(StrEnum):
    """The forms of a line."""

    HUMAN = "human"
    JSON = "json"


class LogLevel(StrEnum):
    """What is said at all; each level has those before it, too."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": format_time(round(record.created * 1_000_000)),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        fields |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(fields).decode()


class _Writer(logging.Handler):
    """Hands lines to a thread that writes them.

    It waits a moment for a slow reader. Then it drops lines and counts them, until there is room.
    """

    def __init__(self, file: int) -> None:
        super().__init__()
        self._file = file
        self._lines: Queue[logging.LogRecord | None] = Queue(_WAITING)
        self._dropped = 0
        self._thread = Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = record.getMessage(), None  # as things are now
        patience = 0 if self._dropped else _PATIENCE
        try:
            if self._dropped:
                self._lines.put_nowait(_dropped(self._dropped))
                self._dropped = 0
            self._lines.put(record, timeout=patience)
        except Full:
            self._dropped += 1

    def end(self) -> bool:
        """Write what waits; return False if nobody takes it."""
        try:
            if self._dropped:
                self._lines.put(_dropped(self._dropped), timeout=_LAST)
            self._lines.put(None, timeout=_LAST)
        except Full:
            return False
        self._thread.join(_LAST)
        return not self._thread.is_alive()

    def _write_all(self) -> None:
        while (record := self._lines.get()) is not None:
            with suppress(OSError):  # there is nobody to tell
                self._write(harmless(self.format(record)))

    def _write(self, line: str) -> None:
        # Not by sys.stderr: at its end Python would wait for a thread that is stuck in it.
        left = (line + "\n").encode(errors="backslashreplace")
        while left:
            try:
                left = left[os.write(self._file, left) :]
            except BlockingIOError:
                select([], [self._file], [])


def _dropped(lines: int) -> logging.LogRecord:
    text = "%d lines of the log were dropped: nobody read standard error"
    return logging.LogRecord(__name__, logging.WARNING, "", 0, text, (lines,), None)


@contextmanager
def log_to_stderr(form: LogFormat | None, level: LogLevel) -> Iterator[None]:
    """Log to standard error; without a form, for people on a terminal and in JSON elsewhere."""
    writer = _Writer(sys.stderr.fileno())
    chosen = form or (LogFormat.HUMAN if sys.stderr.isatty() else LogFormat.JSON)
    if chosen is LogFormat.JSON:
        writer.setFormatter(_JsonFormatter())
    else:
        writer.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.addHandler(writer)
    status = 1
    try:
        yield
        status = 0
    finally:
        if not writer.end():
            os._exit(status)  # whatever else was to be said would wait for ever
