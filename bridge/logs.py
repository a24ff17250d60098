"""How the log looks: lines for people, or an object in JSON for each."""

import logging
import sys
from enum import StrEnum

import msgspec

from contract.times import format_time

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


def log_to_stderr(form: LogFormat | None, level: LogLevel) -> None:
    """Log to standard error; without a form, for people on a terminal and in JSON elsewhere."""
    handler = logging.StreamHandler()
    chosen = form or (LogFormat.HUMAN if sys.stderr.isatty() else LogFormat.JSON)
    if chosen is LogFormat.JSON:
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.addHandler(handler)
