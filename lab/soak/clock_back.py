"""Runs the bridge with a host's clock that goes back an hour after a few seconds."""

import asyncio
import logging
import sys
import time
from pathlib import Path

from bridge.clock import Clock
from bridge.config import load
from bridge.service import serve

_AFTER = 2.0  # seconds
_BY = 3_600_000_000  # microseconds


def main() -> None:
    """Run until SIGTERM, as ``lora-bridge run --config FILE`` does; the file is the last word."""
    began = time.monotonic()

    def wall() -> int:
        now = time.time_ns() // 1000
        return now if time.monotonic() - began < _AFTER else now - _BY

    logging.basicConfig(level=logging.INFO)
    asyncio.run(serve(load(Path(sys.argv[-1])), Clock(wall, time.monotonic)))


if __name__ == "__main__":
    main()
