"""A line of the log is for people, or one object for programs."""

import json
import logging
from collections.abc import Iterator

import pytest

from bridge.logs import LogFormat, LogLevel, log_to_stderr
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


Stderr = pytest.CaptureFixture[str]


def test_json_is_one_object_a_line(capsys: Stderr) -> None:
    """Time, level and message, whatever the message holds; elsewhere than on a terminal."""
    log_to_stderr(None, LogLevel.INFO)
    _log.warning("a %s\nwith %r", "message", b"\x00\xff")
    _log.debug("not said")
    (line,) = capsys.readouterr().err.splitlines()
    fields = json.loads(line)
    assert fields.pop("time").endswith("Z")
    assert fields == {"level": "warning", "message": "a message\nwith b'\\x00\\xff'"}


def test_an_exception_is_in_its_line(capsys: Stderr) -> None:
    """A traceback does not break the form."""
    log_to_stderr(LogFormat.JSON, LogLevel.INFO)
    try:
        int("broken")
    except ValueError:
        _log.exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exception"].endswith("'broken'")


def test_lines_for_people(capsys: Stderr) -> None:
    """Time, level, and words."""
    log_to_stderr(LogFormat.HUMAN, LogLevel.INFO)
    _log.info("ready")
    assert capsys.readouterr().err.endswith(" INFO ready\n")


@pytest.mark.parametrize(
    ("payload", "seqno"), [(b'{"seqno":12}', 12), (b"{}", None), (b"no JSON", None)]
)
def test_a_trace_names_the_uplink(
    capsys: Stderr, root: logging.Logger, payload: bytes, seqno: int | None
) -> None:
    """At debug level each step of an uplink has its device and seqno; otherwise there is none."""
    message = Message("lora/a1/d1", payload)
    log_to_stderr(LogFormat.JSON, LogLevel.INFO)
    trace([message], "committed")
    assert capsys.readouterr().err == ""
    root.setLevel(logging.DEBUG)
    trace([message], "committed")
    fields = json.loads(capsys.readouterr().err)
    assert (fields["device"], fields["seqno"]) == ("a1/d1", seqno)
    assert fields["message"] == f"uplink a1/d1 seqno={seqno}: committed"
