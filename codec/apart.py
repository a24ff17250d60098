"""Runs JavaScript in a process of its own, which a script without end loses.

The engine looks at its limits between steps of a script; one step, such as joining an array of a
thousand million elements, may take minutes. The system then ends the process, by its CPU time, and
the next script gets a new one. The process has no credentials: its environment is all but empty.
"""

import atexit
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import msgspec

from codec.errors import Code, CodecError
from codec.javascript import SECONDS, out_of_time, run

_HARD_LIMIT = 2 * SECONDS  # of CPU time, for a step that does not end
_ROOT = Path(__file__).parent.parent
_START = "import sys; sys.path.insert(0, sys.argv[1]); from codec.apart import serve; serve()"
_LENGTH = 4  # bytes, before each message
_KEPT = {"LD_LIBRARY_PATH"}  # where Lambda's Python has its own library


class _Script(msgspec.Struct, array_like=True):
    source: str
    call: str


class _Said(msgspec.Struct, array_like=True):
    """What the call said, or with a ``code`` why it did not."""

    text: str
    code: Code | None = None


_script = msgspec.msgpack.Decoder(_Script)
_said = msgspec.msgpack.Decoder(_Said)


class Apart:
    """The process, started when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, source: str, call: str) -> str:
        """Do what ``codec.javascript.run`` does, in the process.

        Raises:
            CodecError: as that does, and when the process had to be ended.

        """
        process = self._running()
        assert process.stdin  # noqa: S101  # both are pipes
        assert process.stdout  # noqa: S101
        _send(process.stdin, msgspec.msgpack.encode(_Script(source, call)))
        answer = _receive(process.stdout)
        if answer is None:
            raise self._ended()
        said = _said.decode(answer)
        if said.code is not None:
            raise CodecError(said.code, said.text)
        return said.text

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
    while (request := _receive(sys.stdin.buffer)) is not None:
        # Its signal ends the process, also within a step of the script.
        signal.setitimer(signal.ITIMER_PROF, _HARD_LIMIT)
        answer = msgspec.msgpack.encode(_answer(_script.decode(request)))
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(sys.stdout.buffer, answer)


def _answer(script: _Script) -> _Said:
    try:
        return _Said(run(script.source, script.call))
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
