"""Runs codecs in a process of its own, which a codec without end loses.

The engine looks at its limits between steps of a script; one step, such as joining an array of a
thousand million elements, may take minutes. The system then ends the process, by its CPU time, and
the next input gets a new one. The process has no credentials: its environment is all but empty.
"""

import atexit
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from codec.errors import Code, CodecError
from codec.javascript import out_of_time
from codec.prepared import Engines

_ROOT = Path(__file__).parent.parent
_START = "import sys; sys.path.insert(0, sys.argv[1]); from codec.apart import serve; serve()"
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


class Apart:
    """The process, started when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, source: str, inputs: Sequence[str]) -> list[str | CodecError]:
        """Return what a codec answers to each of its inputs, in JSON, or why it does not."""
        answers: list[str | CodecError] = []
        while len(answers) < len(inputs):
            process = self._running()
            assert process.stdin  # noqa: S101  # both are pipes
            assert process.stdout  # noqa: S101
            request = _Request(source, list(inputs[len(answers) :]))
            _send(process.stdin, msgspec.msgpack.encode(request))
            answers += self._answers(process.stdout, len(request.inputs))
        return answers

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
        with process:
            assert process.stdin  # noqa: S101
            process.stdin.close()
        return process.returncode

    def _ended(self) -> CodecError:
        status = self.close()
        if status == -signal.SIGPROF:
            return out_of_time()
        return CodecError(Code.EXCEPTION, f"the engine broke down with status {status}")


def serve() -> None:
    """Be the process: run what comes on standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that asks
    engines = Engines()
    while (message := _receive(sys.stdin.buffer)) is not None:
        request = _request.decode(message)
        for number, argument in enumerate(request.inputs, start=1):
            more = number < len(request.inputs)
            said = _answer(engines, request.source, argument, more=more)
            _send(sys.stdout.buffer, msgspec.msgpack.encode(said))


def _answer(engines: Engines, source: str, argument: str, *, more: bool) -> _Said:
    try:
        return _Said(engines.run(source, argument, more=more))
    except CodecError as error:
        return _Said(error.message, error.code)


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603  # this module
        [sys.executable, "-I", "-c", _START, str(_ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name in _KEPT},
    )


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(len(message).to_bytes(_LENGTH, "big") + message)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    """Return the next message; None when there is none any more."""
    head = pipe.read(_LENGTH)
    return pipe.read(int.from_bytes(head, "big")) if head else None


_apart = Apart()
atexit.register(_apart.close)
run_apart = _apart.run
"""What every codec of this program is run with; from one thread at a time."""
