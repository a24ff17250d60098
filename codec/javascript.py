"""Runs JavaScript within limits, in an engine without files, network or processes."""

from pathlib import Path
from time import process_time

import quickjs

from codec.errors import Code, CodecError

SECONDS = 0.2  # of CPU time, from the codec's first line to its answer
_MEMORY = 33_554_432  # bytes: the engine takes 100 kB of them, and a codec as many
_STACK = 262_144  # bytes


def script(name: str) -> str:
    """Return one of the scripts beside this module."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


_GLOBALS = script("globals.js")
_BUFFER = script("buffer.js")


def run(source: str, call: str) -> str:
    """Return what ``call`` says after ``source``, as text.

    A new engine takes a tenth of a millisecond, and nothing of another uplink can be in it. It
    looks at its time between steps of the script only, of which some have no end.

    Raises:
        CodecError: it threw something, or went beyond a limit.

    """
    engine = quickjs.Context()
    engine.set_memory_limit(_MEMORY)
    engine.set_max_stack_size(_STACK)
    began = process_time()
    engine.set_time_limit(SECONDS)
    try:
        engine.eval(_GLOBALS)
        if "Buffer" in source:  # to make it takes as long as all the rest
            engine.eval(_BUFFER)
        engine.eval(source)
        engine.set_time_limit(max(0.0, SECONDS - (process_time() - began)))
        return str(engine.eval(call))
    except quickjs.JSException as error:
        raise failure(str(error)) from None
    # NUL in the source, a text with half a surrogate pair, a value that cannot leave the engine.
    except (ValueError, TypeError) as error:
        raise CodecError(Code.EXCEPTION, str(error)) from None


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
    return CodecError(Code.TIMEOUT, f"not done after {SECONDS:.1f} s")
