"""``python -P -S decoder_instance.py [THREADS ...]``: what Lambda does with them, timed; as JSON.

With numbers of threads it measures a whole call with as many, in DynamoDB's place what the
environment names; without, what decoding takes.

Runs with nothing of this project but the package.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decoder.batch import Record
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_BATCH = 100
_ROUNDS = 20
_CALLS = 3


def _timed(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return 1000 * (time.perf_counter() - began)


def _median_of(what: Callable[[], object]) -> float:
    return sorted(_timed(what) for _ in range(_ROUNDS))[_ROUNDS // 2]


def _calls(numbers: list[int]) -> dict[str, float]:
    """Measure a call of a hundred uplinks of as many devices, stored on so many threads."""
    from decoder.batch import work_through  # noqa: PLC0415
    from decoder.handler import codecs, effects  # noqa: PLC0415

    records = [_record(number) for number in range(_BATCH)]
    figures = {}
    for number in numbers:
        with ThreadPoolExecutor(number) as threads:

            def call(threads: ThreadPoolExecutor = threads) -> None:
                if failed := work_through(records, codecs, effects, threads):
                    sys.exit(f"not stored: {failed}")

            call()  # the connections are made, and the devices known
            figures[str(number)] = min(_timed(call) for _ in range(_CALLS))
    return figures


def _record(number: int) -> "Record":
    image: dict[str, AttributeValueTypeDef] = {
        "device": {"S": f"a/{number}"},
        "timestamp": {"S": "2026-11-23T10:00:00.000000Z"},
        "port1_bytes": {"L": [{"N": "7"}, {"N": "140"}, {"N": "60"}]},
    }
    keys = {name: image[name] for name in ("device", "timestamp")}
    return {"dynamodb": {"Keys": keys, "NewImage": image, "SequenceNumber": str(number)}}


def main() -> None:
    """Start as an instance does, and decode."""
    if len(sys.argv) > 1:
        print(json.dumps(_calls([*map(int, sys.argv[1:])])))
        return
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
