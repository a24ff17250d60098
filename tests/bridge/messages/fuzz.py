"""Looks for bytes that break the bridge, guided by coverage.

Run it by ``python -m tests.bridge.messages.fuzz [SECONDS]``.

Starts from the corpus beside this file. What reaches new behaviour is written to build/fuzz, what
breaks something to build/fuzz/broken-…. A file worth keeping is given a name and moved to the
corpus by hand. Further options go to libFuzzer, for instance ``-max_len=65536`` after the seconds.
"""

import sys
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("atheris is missing: pip install atheris==3.0.0")

with atheris.instrument_imports(include=["bridge"]):
    from tests.bridge.messages.invariants import check_stream

CORPUS = Path(__file__).with_name("corpus")
FOUND = Path("build/fuzz")


def take(stream: bytes) -> None:
    """Break with an exception when an invariant does not hold for ``stream``."""
    check_stream(stream)


def main(seconds: str = "60", *options: str) -> None:
    """Fuzz for so many seconds, with the options of libFuzzer."""
    FOUND.mkdir(parents=True, exist_ok=True)
    arguments = (
        f"-max_total_time={seconds}",
        f"-artifact_prefix={FOUND}/broken-",
        f"-dict={CORPUS.with_name('fuzz.dict')}",
        *options,
        str(FOUND),  # libFuzzer writes to the first folder only
        str(CORPUS),
    )
    atheris.Setup([sys.argv[0], *arguments], take)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
