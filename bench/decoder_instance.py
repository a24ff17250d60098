"""``python -P decoder_instance.py PACKAGE``: what Lambda does with it, timed; prints JSON.

Runs with nothing of this project but the package.
"""

import json
import sys
import time
from collections.abc import Callable

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
    sys.path.insert(0, sys.argv[1])
    began = time.perf_counter()
    import decoder.handler  # noqa: F401, PLC0415  # the start of an instance, which is measured

    start = 1000 * (time.perf_counter() - began)
    from pathlib import Path  # noqa: PLC0415

    from decoder.readings import reading  # noqa: PLC0415

    from bridge.rows import row_of  # noqa: PLC0415
    from codec.mapping import load  # noqa: PLC0415

    codecs = load(Path(sys.argv[1]) / "codecs")

    def decode(port: int, data: list[int]) -> None:
        stored = {"device": "a/b", "timestamp": "2026-11-23T10:00:00.000000Z"}
        found = reading(row_of({**stored, f"port{port}_bytes": data}), codecs)
        if found is None or found.decoded is None:
            sys.exit(f"not decoded: {found}")

    def small() -> None:
        decode(1, [7, 140, 60])

    def batch() -> None:
        for _ in range(_BATCH):
            small()

    first = _timed(small)
    print(
        json.dumps(
            {
                "start": start,
                "first": first,
                "one": _median_of(small),
                "batch": _median_of(batch),
                "cayenne": _median_of(lambda: decode(2, [3, 0x67, 1, 0x10, 5, 0x67, 0, 0xFF])),
                "buffer": _median_of(lambda: decode(3, [1, 2, 3, 4])),
            }
        )
    )


if __name__ == "__main__":
    main()
