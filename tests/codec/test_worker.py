"""Codecs run in a process of their own, which they may lose."""

import ctypes
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from codec.answers import Function, question
from codec.errors import Code, CodecError
from codec.worker import Worker

READY = '{"answer":"ready"}'
CODEC = """function decodeUplink(input) {
    if (input.endless) new Array(1e9).join('x');
    return 'ready';
}"""
"""The engine does not look at its limits within the join; it takes the better part of a minute."""
_GET_DUMPABLE = 3  # of prctl(2)
FINE = question(Function.DECODE_UPLINK, {})
ENDLESS = question(Function.DECODE_UPLINK, {"endless": True})


@pytest.fixture
def worker() -> Iterator[Worker]:
    """Return what runs scripts in a process of its own."""
    found = Worker()
    yield found
    found.close()


def pid(worker: Worker) -> int:
    """Return the process, in which a codec has run."""
    assert worker.run(CODEC, [FINE]) == [READY]
    process = worker._process
    assert process is not None
    return process.pid


def test_a_step_without_end_is_a_timeout(worker: Worker) -> None:
    """It ends its own process, and what comes next runs in another, be it of the same batch."""
    before = pid(worker)
    one, stopped, *others = worker.run(CODEC, [FINE, ENDLESS, FINE, FINE])
    assert [one, *others] == [READY] * 3
    assert isinstance(stopped, CodecError)
    assert stopped.code is Code.TIMEOUT
    assert pid(worker) != before


def test_a_process_that_is_gone_is_replaced(worker: Worker) -> None:
    """Whatever ended it while nothing ran, no uplink is the worse for it."""
    os.kill(pid(worker), signal.SIGKILL)
    assert worker._process is not None
    worker._process.wait()
    assert worker.run(CODEC, [FINE]) == [READY]


def test_a_process_that_breaks_down_is_told(worker: Worker) -> None:
    """What ran in it is not decoded, with the reason; the next is."""
    killing = threading.Timer(0.1, os.kill, (pid(worker), signal.SIGKILL))
    killing.start()
    (broken,) = worker.run(CODEC, [ENDLESS])
    assert str(broken) == "exception: the engine broke down with status -9"
    killing.join()
    assert worker.run(CODEC, [FINE]) == [READY]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux shows the environment of a process")
def test_the_process_has_no_credentials(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the program's environment is with the codecs."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert b"secret" not in Path(f"/proc/{pid(worker)}/environ").read_bytes()


def test_what_is_interrupted_answers_no_other(worker: Worker) -> None:
    """An answer that nobody waited for is not taken for that to the next input."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            worker.run(CODEC, [ENDLESS, FINE])
    finally:
        signal.signal(signal.SIGALRM, before)
    other = CODEC.replace("ready", "other")
    assert worker.run(other, [FINE]) == [READY.replace("ready", "other")]


def test_a_process_that_ends_while_it_is_asked_is_told(worker: Worker) -> None:
    """A request that nobody reads to its end is no error of the program."""
    process = pid(worker)
    os.kill(process, signal.SIGSTOP)
    killing = threading.Timer(0.1, os.kill, (process, signal.SIGKILL))
    killing.start()
    (broken,) = worker.run(CODEC, [json.dumps("x" * 10_000_000)])  # more than the pipe holds
    assert str(broken) == "exception: the engine broke down with status -9"
    killing.join()
    assert worker.run(CODEC, [FINE]) == [READY]


def test_an_interrupt_is_for_the_program(worker: Worker) -> None:
    """Ctrl-C, which the whole group gets, does not end the process."""
    before = pid(worker)
    os.kill(before, signal.SIGINT)
    assert pid(worker) == before


@pytest.mark.skipif(sys.platform != "linux", reason="Linux shows the limits of a process")
def test_a_codec_s_process_can_open_nothing(worker: Worker) -> None:
    """What breaks out of the engine finds no file, socket or process to open, and no rights."""
    about = Path(f"/proc/{pid(worker)}")
    limits = (about / "limits").read_text()
    for limit in ("Max open files", "Max processes", "Max core file size"):
        assert re.search(rf"{limit} +0 +0 ", limits)
    assert "NoNewPrivs:\t1" in (about / "status").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_nobody_reads_this_environment(worker: Worker) -> None:
    """The program that runs codecs, which may have credentials, is no longer dumpable."""
    pid(worker)
    assert ctypes.CDLL(None).prctl(_GET_DUMPABLE, 0, 0, 0, 0) == 0
