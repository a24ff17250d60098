"""Engines that have a codec ready, for batches: to make one takes longer than most decoding."""

from contextlib import suppress

from codec.errors import CodecError
from codec.javascript import CALL, GLOBALS, engine_for, limited, run, script

_MOST = 16  # codecs whose engines are kept; each takes a megabyte
_THREW = '{"threw":'  # an outcome that call.js writes
_AGAIN = script("again.js").strip().removesuffix(";")


class Prepared:
    """An engine that one codec has to itself; its inputs see nothing of each other.

    Raises:
        CodecError: the codec cannot be prepared.

    """

    def __init__(self, source: str) -> None:
        engine = engine_for(source)
        codec = f"function () {{{source}\n;return (\n{CALL})}}"
        with limited(engine):
            self._answer = engine.eval(f"({_AGAIN})({codec}, function () {{{GLOBALS}}})")
        self._engine = engine

    def answer(self, argument: str) -> str | None:
        """Return what ``run`` does; None where it threw, as it might not in an engine of its own.

        Raises:
            CodecError: as ``run`` does, and this engine is spoilt.

        """
        with limited(self._engine):
            answer = str(self._answer(argument))
        return None if answer.startswith(_THREW) else answer


class Engines:
    """Runs codecs: an uplink alone in a new engine, those of a batch in one that is prepared.

    That is so for a codec whose first answer is the same both ways, and that leaves alone what
    scripts share. What does not come to an answer in a prepared engine gets a new one.
    """

    def __init__(self) -> None:
        self._prepared: dict[str, Prepared | None] = {}

    def run(self, source: str, argument: str, *, more: bool) -> str:
        """Return what a codec answers, as ``run``; ``more`` inputs are to follow.

        Raises:
            CodecError: it threw something, or went beyond a limit.

        """
        if more and source not in self._prepared:
            return self._try(source, argument)
        return self._again(source, argument) or run(engine_for(source), source, argument)

    def _again(self, source: str, argument: str) -> str | None:
        prepared = self._prepared.get(source)
        try:
            return prepared.answer(argument) if prepared else None
        except CodecError:
            self._prepared[source] = None
            return None

    def _try(self, source: str, argument: str) -> str:
        """Answer, and find out whether the codec can be prepared."""
        engine = engine_for(source)
        untouched = engine.eval(f"({_AGAIN})()")
        answer = run(engine, source, argument)
        if not answer.startswith(_THREW):
            self._prepared[source] = None
            with suppress(CodecError), limited(engine):
                if untouched():
                    self._prepare(source, argument, answer)
        return answer

    def _prepare(self, source: str, argument: str, expected: str) -> None:
        prepared = Prepared(source)
        if prepared.answer(argument) == expected:
            self._prepared[source] = prepared
        if len(self._prepared) > _MOST:
            del self._prepared[next(iter(self._prepared))]
