"""Looks for bytes that break the bridge, guided by coverage.

Run it by ``python -m tests.bridge.messages.fuzz [SECONDS]``.

Starts from the corpus beside this file. What reaches new behaviour is written to build/fuzz, what
breaks something to build/fuzz/broken-…. A file worth keeping is given a name and moved to the
corpus by hand. Further options go to libFuzzer, for instance ``-max_len=65536`` after the seconds.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("atheris is missing: pip install atheris==3.0.0")

instrumented = partial(atheris.instrument_imports, include=["bridge"])
"""What is imported in its context tells the fuzzer where it has been."""

with instrumented():
    from tests.bridge.messages.invariants import check_stream

CORPUS = Path(__file__).with_name("corpus")
FOUND = Path("build/fuzz")


def take(stream: bytes) -> None:
    """Break with an exception when an invariant does not hold for ``stream``."""
    check_stream(stream)


def fuzz(
    take: Callable[[bytes], None], found: Path, corpus: Path, seconds: str, options: Sequence[str]
) -> None:
    """Fuzz for so many seconds, with the options of libFuzzer and the words beside the corpus."""
    found.mkdir(parents=True, exist_ok=True)
    arguments = (
        f"-max_total_time={seconds}",
        f"-artifact_prefix={found}/broken-",
        f"-dict={corpus.with_name('fuzz.dict')}",
        *options,
        str(found),  # libFuzzer writes to the first folder only
        str(corpus),
    )
    atheris.Setup([sys.argv[0], *arguments], take)
    atheris.Fuzz()


def main(seconds: str = "60", *options: str) -> None:
    """Fuzz for so many seconds, with the options of libFuzzer."""
    fuzz(take, FOUND, CORPUS, seconds, options)


if __name__ == "__main__":
    main(*sys.argv[1:])
