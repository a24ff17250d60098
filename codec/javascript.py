"""Runs JavaScript within limits, in an engine without files, network or processes."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time

import quickjs

from codec.errors import Code, CodecError

_SECONDS = 0.2  # of CPU time, from the codec's first line to its answer
_LAST_SECONDS = 2 * _SECONDS  # for a step that does not end
_MEMORY = 33_554_432  # bytes: the engine takes 100 kB of them, and a codec as many
_STACK = 262_144  # bytes
_MAX_RESULT = 65_536
"""Bytes of JSON: a row takes 400 KB in DynamoDB, all in all, and a message 128 KB in AWS IoT."""


def script(name: str) -> str:
    """Return one of the scripts beside this module."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


_GLOBALS = script("globals.js")
_CALL = script("call.js").strip().removesuffix(";")
_BUFFER = script("buffer.js")


def run(source: str, argument: str) -> str:
    """Return what a codec answers to an input in JSON: an outcome, as call.js has it, in JSON.

    It has a new engine, since nothing else keeps one uplink from seeing what another left behind.

    Raises:
        CodecError: it threw something, or went beyond a limit.

    """
    engine = _engine_for(source)
    with _limited(engine):
        began = process_time()
        engine.eval(_GLOBALS)
        engine.eval(source)
        engine.set_time_limit(max(0.0, _SECONDS - (process_time() - began)))
        outcome = str(engine.eval(_CALL)(argument))
    size = len(outcome.encode(errors="surrogatepass"))
    if size > _MAX_RESULT:
        raise CodecError(Code.BAD_RESULT, f"{size} bytes, of {_MAX_RESULT} at most")
    return outcome


def _engine_for(source: str) -> quickjs.Context:
    """Return an engine with the limits, and ``Buffer`` if ``source`` uses it."""
    engine = quickjs.Context()
    engine.set_memory_limit(_MEMORY)
    engine.set_max_stack_size(_STACK)
    if "Buffer" in source:  # to make it takes as long as all the rest
        engine.eval(_BUFFER)
    return engine


@contextmanager
def _limited(engine: quickjs.Context) -> Iterator[None]:
    """Limit the time of what is run within.

    The engine looks at its time between steps of a script only, and some have no end: after twice
    the time a signal ends the process.

    Raises:
        CodecError: it threw something, or went beyond a limit.

    """
    engine.set_time_limit(_SECONDS)
    signal.setitimer(signal.ITIMER_PROF, _LAST_SECONDS)
    try:
        yield
    except quickjs.JSException as error:
        raise failure(str(error)) from None
    # NUL in the source, a text with half a surrogate pair, a value that cannot leave the engine.
    except (ValueError, TypeError) as error:
        raise CodecError(Code.EXCEPTION, str(error)) from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def failure(text: str) -> CodecError:
    """Return what an exception's text tells of the reason."""
    if text.startswith("InternalError: interrupted"):
        return out_of_time()
    # Where even the error has no memory left, there is none.
    if text.startswith("InternalError: out of memory") or text.strip() == "null":
        return CodecError(Code.MEMORY, f"more than {_MEMORY // 1_048_576} MiB")
    return CodecError(Code.EXCEPTION, " ".join(text.split()))


def out_of_time() -> CodecError:
    """Return the error of a codec that took too long."""
    return CodecError(Code.TIMEOUT, f"not done after {_SECONDS:.1f} s")
