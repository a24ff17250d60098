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
    """Return one of the scripts in ``codec/js``."""
    return (Path(__file__).parent / "js" / name).read_text(encoding="utf-8")


_GLOBALS = script("globals.js")
_BUFFER = script("buffer.js")
FORM = script("form.js")
CALL = script("call.js")
_CALL_FORM = f"({CALL})({FORM})"


def run(source: str, argument: str) -> str:
    """Return what a codec answers to an input in JSON: an outcome, as call.js has it, in JSON.

    It has a new engine, in which nothing is left of other inputs.

    Raises:
        CodecError: it threw something, or went beyond a limit.

    """
    engine = new_engine(source)
    with limited(engine):
        began = process_time()
        call = engine.eval(_CALL_FORM)
        engine.eval(source)
        engine.set_time_limit(max(0.0, _SECONDS - (process_time() - began)))
        return bounded(call(argument))


def new_engine(source: str) -> quickjs.Context:
    """Return an engine with the limits, and what is given to a codec; ``Buffer`` if it uses it."""
    engine = quickjs.Context()
    engine.set_memory_limit(_MEMORY)
    engine.set_max_stack_size(_STACK)
    engine.eval(_GLOBALS)
    if "Buffer" in source:  # to make it takes as long as all the rest
        engine.eval(_BUFFER)
    return engine


@contextmanager
def limited(engine: quickjs.Context) -> Iterator[None]:
    """Limit the time of what is run within.

    The engine checks the time only between steps of a script, and a step may take for ever. So a
    signal ends the process after twice the time.

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


def bounded(outcome: object) -> str:
    """Return an outcome that is not too long.

    Raises:
        CodecError: it is.

    """
    text = str(outcome)
    size = len(text.encode(errors="surrogatepass"))
    if size > _MAX_RESULT:
        raise CodecError(Code.BAD_RESULT, f"{size} bytes, of {_MAX_RESULT} at most")
    return text


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
