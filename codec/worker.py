"""Runs codecs in a process of its own, which ends when a codec cannot be stopped otherwise.

The engine looks at its limits between steps of a script; one step, such as joining an array of a
thousand million elements, may take minutes. The system then ends the process, by its CPU time, and
the next input gets a new one. The process has no credentials: its environment is all but empty.
"""

import atexit
import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from codec.errors import Code, CodecError
from codec.sandbox import out_of_time

if TYPE_CHECKING:
    from codec.kept_engine import Runner

_ROOT = Path(__file__).parent.parent
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    "from codec.worker import serve; from codec.kept_engine import runner; serve(runner)"
)
_DUMPABLE, _NO_NEW_PRIVILEGES = 4, 38  # of prctl(2)
_LENGTH = 4  # bytes, before each message
_KEPT = {"LD_LIBRARY_PATH"}  # where Lambda's Python has its own library


class _Request(msgspec.Struct, array_like=True):
    source: str
    inputs: list[str]


class _Said(msgspec.Struct, array_like=True):
    """What a codec said to an input, or with a ``code`` why it did not."""

    text: str
    code: Code | None = None


_request = msgspec.msgpack.Decoder(_Request)
_said = msgspec.msgpack.Decoder(_Said)


class Worker:
    """The process, started when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, source: str, inputs: Sequence[str]) -> list[str | CodecError]:
        """Return what a codec answers to each of its inputs, in JSON, or why it does not."""
        answers: list[str | CodecError] = []
        try:
            while len(answers) < len(inputs):
                answers += self._ask(_Request(source, list(inputs[len(answers) :])))
        except BaseException:
            self._kill()  # what it has yet to say would be taken for what comes next
            raise
        return answers

    def _ask(self, request: _Request) -> Iterator[str | CodecError]:
        process = self._running()
        assert process.stdin  # noqa: S101  # both are pipes
        assert process.stdout  # noqa: S101
        with suppress(OSError):  # it has ended just now, and does not answer
            _send(process.stdin, msgspec.msgpack.encode(request))
        return self._answers(process.stdout, len(request.inputs))

    def _answers(self, pipe: IO[bytes], count: int) -> Iterator[str | CodecError]:
        """Yield the answers, until the one that the process did not live to give."""
        for _ in range(count):
            answer = _receive(pipe)
            if answer is None:
                yield self._ended()
                return
            said = _said.decode(answer)
            yield said.text if said.code is None else CodecError(said.code, said.text)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is not None:
            self.close()
        self._process = self._process or _start()
        return self._process

    def close(self) -> int | None:
        """End the process; return its status, if there was one."""
        process, self._process = self._process, None
        if process is None:
            return None
        assert process.stdin  # noqa: S101
        with process, suppress(OSError):  # what was not sent
            process.stdin.close()
        return process.returncode

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self.close()

    def _ended(self) -> CodecError:
        status = self.close()
        if status == -signal.SIGPROF:
            return out_of_time()
        return CodecError(Code.EXCEPTION, f"the engine broke down with status {status}")


def serve(runner: "Callable[[str], Runner]") -> None:
    """Run what comes on standard input until it ends: this is the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that asks
    _give_up_everything()
    while (message := _receive(sys.stdin.buffer)) is not None:
        request = _request.decode(message)
        codec = runner(request.source)
        for argument in request.inputs:
            _send(sys.stdout.buffer, msgspec.msgpack.encode(_answer(codec.run, argument)))
        codec.tidy()


def _answer(run: Callable[[str], str], argument: str) -> _Said:
    try:
        return _Said(run(argument))
    except CodecError as error:
        return _Said(error.message, error.code)


def _start() -> "subprocess.Popen[bytes]":
    _hide_environment()
    return subprocess.Popen(  # noqa: S603  # this module
        [sys.executable, "-I", "-c", _START, str(_ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # In Lambda the zone is UTC, and so it is everywhere.
        env={"TZ": "UTC0"} | {k: v for k, v in os.environ.items() if k in _KEPT},
    )


def _give_up_everything() -> None:
    """Open no file, socket or process any more: a codec that breaks out finds nothing."""
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE):
        resource.setrlimit(limit, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def _hide_environment() -> None:
    """Let no other process of this user read this one's environment, which has credentials."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DUMPABLE, 0, 0, 0, 0)


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(len(message).to_bytes(_LENGTH, "big") + message)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    """Return the next message; None when there is no whole one any more."""
    length = int.from_bytes(pipe.read(_LENGTH), "big")
    message = pipe.read(length)
    return message if message and len(message) == length else None


_worker = Worker()
atexit.register(_worker.close)
run_in_worker = _worker.run
"""What every codec of this program is run with; from one thread at a time."""
