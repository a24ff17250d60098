"""A line of the log is for people, or one object for programs."""

import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from bridge.logs import LogFormat, LogLevel, _Writer, log_to_stderr
from bridge.messages.message import Message
from bridge.messages.trace import trace

_log = logging.getLogger("bridge.test")


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """Return the root of all loggers, and leave it as it was."""
    root = logging.getLogger()
    before, level = [*root.handlers], root.level
    yield root
    for handler in [each for each in root.handlers if each not in before]:
        root.removeHandler(handler)
    root.setLevel(level)


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    """Give both ends of a pipe, and close what is left of them."""
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            with suppress(OSError):
                os.close(end)


def record(number: int) -> logging.LogRecord:
    """Return a line of a hundred characters."""
    return logging.LogRecord("test", logging.INFO, "", 0, f"{number:>100}", (), None)


def take(end: int, lines: list[str]) -> None:
    """Read all lines, until nobody writes any more."""
    with os.fdopen(os.dup(end)) as file:
        lines += file.read().splitlines()


Stderr = pytest.CaptureFixture[str]


def test_json_is_one_object_a_line(capfd: Stderr) -> None:
    """Time, level and message, whatever the message holds; elsewhere than on a terminal."""
    with log_to_stderr(None, LogLevel.INFO):
        _log.warning("a %s\nwith %r", "message", b"\x00\xff")
        _log.debug("not said")
    (line,) = capfd.readouterr().err.splitlines()
    fields = json.loads(line)
    assert fields.pop("time").endswith("Z")
    assert fields == {"level": "warning", "message": "a message\nwith b'\\x00\\xff'"}


def test_an_exception_is_in_its_line(capfd: Stderr) -> None:
    """A traceback does not break the form."""
    with log_to_stderr(LogFormat.JSON, LogLevel.INFO):
        try:
            int("broken")
        except ValueError:
            _log.exception("failed")
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line)["exception"].endswith("'broken'")


def test_lines_for_people(capfd: Stderr) -> None:
    """Time, level, and words."""
    with log_to_stderr(LogFormat.HUMAN, LogLevel.INFO):
        _log.info("ready")
    assert capfd.readouterr().err.endswith(" INFO ready\n")


@pytest.mark.parametrize(
    ("payload", "seqno"), [(b'{"seqno":12}', 12), (b"{}", None), (b"no JSON", None)]
)
def test_a_trace_names_the_uplink(
    capfd: Stderr, root: logging.Logger, payload: bytes, seqno: int | None
) -> None:
    """At debug level each step of an uplink has its device and seqno; otherwise there is none."""
    message = Message("lora/a1/d1", payload)
    with log_to_stderr(LogFormat.JSON, LogLevel.INFO):
        trace([message], "committed")
        root.setLevel(logging.DEBUG)
        trace([message], "committed")
    fields = json.loads(capfd.readouterr().err)
    assert (fields["device"], fields["seqno"]) == ("a1/d1", seqno)
    assert fields["message"] == f"uplink a1/d1 seqno={seqno}: committed"


def test_a_reader_who_is_slow_gets_every_line() -> None:
    """The bridge waits for one who reads."""
    with pipe() as (read, write):
        writer = _Writer(write)
        lines: list[str] = []
        reader = threading.Thread(target=take, args=(read, lines))
        reader.start()
        for number in range(12_000):
            writer.handle(record(number))
        assert writer.end()
        os.close(write)
        reader.join()
    assert lines == [f"{number:>100}" for number in range(12_000)]


def test_nobody_has_to_read() -> None:
    """What is not read is dropped; once it is read again, a line says how many were."""
    with pipe() as (read, write):
        writer = _Writer(write)
        for number in range(20_000):
            writer.handle(record(number))
        assert not writer.end()
        lines: list[str] = []
        reader = threading.Thread(target=take, args=(read, lines))
        reader.start()
        assert writer.end()
        os.close(write)
        reader.join()
    kept = len(lines) - 1
    assert lines[:-1] == [f"{number:>100}" for number in range(kept)]
    dropped = 20_000 - kept
    assert lines[-1] == f"{dropped} lines of the log were dropped: nobody read standard error"
