"""Looks for events that break the bridge, guided by coverage.

Run it by ``python -m tests.bridge.sources.chirpstack.fuzz [SECONDS]``. It works as the fuzzer of
the socket, ``tests.bridge.messages.fuzz``, and starts from what a ChirpStack 4.20 has published,
too. Each file has the topic in its first line.
"""

import sys
from pathlib import Path

from tests.bridge.messages.fuzz import fuzz, instrumented

with instrumented():
    from tests.bridge.sources.chirpstack.invariants import check
    from tests.bridge.sources.chirpstack.published import EVENTS

CORPUS = Path(__file__).with_name("corpus")
FOUND = Path("build/fuzz-chirpstack")


def take(stream: bytes) -> None:
    """Break with an exception when an invariant does not hold for ``stream``."""
    check(stream)


def main(seconds: str = "60", *options: str) -> None:
    """Fuzz for so many seconds, with the options of libFuzzer."""
    FOUND.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(EVENTS):
        (FOUND / f"published-{number}").write_bytes(f"{each.topic}\n".encode() + each.payload)
    fuzz(take, FOUND, CORPUS, seconds, options)


if __name__ == "__main__":
    main(*sys.argv[1:])
