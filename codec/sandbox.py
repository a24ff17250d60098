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
_CALL_FORM = f"({CALL})(() => ({FORM}))"
_EXHAUSTED = script("exhausted.js")
_NULL = "null"  # what the engine throws where even an error has no memory left
_NO_TEXT = "(Failed obtaining"  # as the package says where an error's text has no memory left


def run(source: str, argument: str) -> str:
    """Return what a codec answers to a question in JSON: an outcome, as call.js has it, in JSON.

    It has a new engine, in which nothing is left of other inputs.

    Raises:
        CodecError: it threw something, or went beyond a limit.

    """
    try:
        return _run_in(new_engine(source), source, argument)
    except CodecError as error:
        if _may_be_memory(error) and not _throws_by_itself(source, argument):
            raise _out_of_memory() from None
        raise


def _run_in(engine: quickjs.Context, source: str, argument: str) -> str:
    with limited(engine):
        began = process_time()
        call = engine.eval(_CALL_FORM)
        engine.eval(source)
        engine.set_time_limit(max(0.0, _SECONDS - (process_time() - began)))
        return bounded(call(argument))


def _may_be_memory(error: CodecError) -> bool:
    """Tell whether a codec that throws null, or what has no text, would be reported the same."""
    return error.message == _NULL or error.message.startswith(_NO_TEXT)


def _throws_by_itself(source: str, argument: str) -> bool:
    """Run it once more, to tell whether it throws such a thing with memory left."""
    engine = new_engine(source)
    exhausted = engine.eval(_EXHAUSTED)(_MEMORY)
    try:
        _run_in(engine, source, argument)
    except CodecError as error:
        engine.set_memory_limit(2 * _MEMORY)  # or there is none left to tell
        engine.set_time_limit(_SECONDS)
        return _may_be_memory(error) and not exhausted()
    return False


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
    """Return what an exception's text and stack, in lines, tell of the reason."""
    if text.endswith("\nundefined"):  # without a stack: no error
        return thrown(text.removesuffix("\nundefined"))
    if text.startswith("InternalError: interrupted\n"):
        return out_of_time()
    if text.startswith("InternalError: out of memory\n"):
        return _out_of_memory()
    return thrown(text)


def thrown(text: str) -> CodecError:
    """Return the error of a codec that threw something of this text."""
    return CodecError(Code.EXCEPTION, " ".join(text.split()))


def _out_of_memory() -> CodecError:
    return CodecError(Code.MEMORY, f"more than {_MEMORY // 1_048_576} MiB")


def out_of_time() -> CodecError:
    """Return the error of a codec that took too long."""
    return CodecError(Code.TIMEOUT, f"not done after {_SECONDS:.1f} s")
