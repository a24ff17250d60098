"""``python -P -S decoder_instance.py``: what Lambda does with them, timed; prints JSON.

Runs with nothing of this project but the package.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

_BATCH = 100
_ROUNDS = 20


def _timed(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return 1000 * (time.perf_counter() - began)


def _median_of(what: Callable[[], object]) -> float:
    return sorted(_timed(what) for _ in range(_ROUNDS))[_ROUNDS // 2]


def main() -> None:
    """Start as an instance does, and decode."""
    began = time.perf_counter()
    from decoder.handler import codecs  # noqa: PLC0415  # the start of an instance

    start = 1000 * (time.perf_counter() - began)
    from decoder.readings import Uplink, readings  # noqa: PLC0415

    from codec.mapping import Mapping  # noqa: PLC0415
    from contract.rows import row_of  # noqa: PLC0415

    entry, codec = codecs.entries[0]
    others = iter(  # the small codec, each time as one that was never seen
        [Mapping(((entry, replace(codec, source=f"{codec.source}//{n}")),)) for n in range(_ROUNDS)]
    )

    def decode(port: int, data: list[int], times: int = 1, codecs: Mapping = codecs) -> None:
        stored = {"device": "a/b", "timestamp": "2026-11-23T10:00:00.000000Z"}
        row = row_of({**stored, f"port{port}_bytes": data})
        found = readings([Uplink(row)] * times, codecs)
        if not all(each and each.new for each in found):
            sys.exit(f"not decoded: {found}")

    def small(times: int = 1, codecs: Mapping = codecs) -> None:
        decode(1, [7, 140, 60], times, codecs)

    def cayenne(times: int = 1) -> None:
        decode(2, [3, 0x67, 1, 0x10, 5, 0x67, 0, 0xFF], times)

    def buffer(times: int = 1) -> None:
        decode(3, [1, 2, 3, 4], times)

    figures = {"start": start, "first": _timed(small), "second": _timed(small)}
    figures["small_new"] = _median_of(lambda: small(codecs=next(others)))
    for decoding in (small, cayenne, buffer):
        figures[f"{decoding.__name__}_alone"] = _median_of(decoding)
        figures[f"{decoding.__name__}_batch"] = _median_of(partial(decoding, _BATCH))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
