"""Keeps engines for codecs whose messages come again: to make one takes longer than a message.

A kept engine runs all of the codec anew for each message, as a function in strict mode, and what
was there before the codec is frozen: nothing is left of a message, and a codec that would leave
something throws. What gets no answer there is run in a new engine, and so is a codec that might
answer otherwise. So what becomes of a message does not depend on where it runs, unless it is at the
edge of what it may take.
"""

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import NamedTuple

import quickjs

from codec.errors import Code, CodecError
from codec.keepable import says_the_same
from codec.sandbox import CALL, FORM, bounded, limited, new_engine, run, script

_CODECS = 32  # whose engines are kept
_LONGEST = 131_072  # characters of a codec that is looked at, for up to 0.7 s then
_GROWN = 4_194_304  # bytes of an engine that is replaced; a new one takes 0.3 MB
_ANSWER = '{"answer":'  # as an outcome with one begins
_HARDEN = script("harden.js")


class _Engine(NamedTuple):
    context: quickjs.Context
    call: Callable[[str], object]


class Runner:
    """Runs one codec: in a new engine until there is an answer, and then in one that is kept."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._answered = False  # in a new engine; what is no script might run as a function
        self._engine: _Engine | None = None

    @cached_property
    def _fits(self) -> bool:
        return len(self._source) <= _LONGEST and says_the_same(self._source)

    def run(self, argument: str) -> str:
        """Return what the codec answers to an input in JSON: an outcome, as call.js has it.

        Raises:
            CodecError: it threw something, or went beyond a limit.

        """
        tried = self._answered and self._fits
        outcome = self._answer(argument) if tried else None
        if outcome is None:
            outcome = run(self._source, argument)
            self._answered = self._answered or outcome.startswith(_ANSWER)
            if tried and outcome.startswith(_ANSWER):
                self._fits, self._engine = False, None  # it throws in strict mode, maybe each time
        return outcome

    def _answer(self, argument: str) -> str | None:
        """Return the outcome in the kept engine if it is an answer, and None otherwise.

        Raises:
            CodecError: it took too long.

        """
        self._engine = self._engine or _engine(self._source)
        if self._engine is None:
            return None
        context, call = self._engine
        try:
            with limited(context):
                outcome = bounded(call(argument))
        except CodecError as error:
            if error.code is Code.TIMEOUT:
                raise
            return None
        return outcome if outcome.startswith(_ANSWER) else None

    def tidy(self) -> None:
        """Drop the engine if it has grown: messages leave garbage, though out of reach."""
        if self._engine and self._engine.context.memory()["malloc_size"] > _GROWN:
            self._engine = None


def _engine(source: str) -> _Engine | None:
    """Return an engine to be kept; None for a codec that strict mode refuses."""
    context = new_engine(source)
    context.eval(_HARDEN)
    try:
        call = context.eval(f"""({CALL})(() => {{
            const module = {{ exports: {{}} }};
            return (function (module, exports) {{ "use strict";{source}
                return ({FORM});
            }})(module, module.exports);
        }})""")
    except quickjs.JSException:
        return None
    return _Engine(context, call)


runner = lru_cache(_CODECS)(Runner)
"""Returns what runs a codec's source."""
