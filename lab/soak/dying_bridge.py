"""Runs the bridge until it passes a step of a downlink for the nth time; then it kills itself."""

import asyncio
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from bridge import service, wiring
from bridge.config import load
from bridge.downlinks.intake import Intake
from bridge.messages.downlink import Downlink
from bridge.service import serve
from bridge.sources.semtech.sending import SemtechSender
from bridge.spool.batch import Batch
from bridge.spool.spool import Spool
from contract.downlinks import State

_PAUSE = 0.02  # seconds at most that the SDK's threads go on while the bridge dies

_COMMITTED = ("handing", State.ACCEPTED, State.SUBMITTED, State.SENT, State.ACKNOWLEDGED)
DYING = "dying at"
"""What it says last, with a time of the monotonic clock."""
STEPS = (
    *(f"{when} the commit of {what}" for what in _COMMITTED for when in ("before", "after")),
    *("after the PUBACK", "before the write", "after the write"),
)


def main() -> None:
    """Run with arguments: a step, how often it is passed, and last of all the configuration."""
    wanted, passages = sys.argv[1], int(sys.argv[2])
    passed = 0

    def passing(step: str) -> None:
        nonlocal passed
        passed += step == wanted
        if passed == passages:
            print(f"{DYING} {time.monotonic()}", file=sys.stderr, flush=True)
            time.sleep(random.uniform(0, _PAUSE))  # noqa: S311  # no secret comes of it
            os.kill(os.getpid(), signal.SIGKILL)

    logging.basicConfig(level=logging.INFO)
    with (
        patch.object(service, "Spool", _dying_spool(passing)),
        patch.object(wiring, "Intake", _dying_intake(passing)),
        patch.object(SemtechSender, "hand_over", _dying_hand_over(passing)),
    ):
        asyncio.run(serve(load(Path(sys.argv[-1]))))


def _dying_spool(passing: Callable[[str], None]) -> type[Spool]:
    class DyingSpool(Spool):
        def commit(self, batch: Batch) -> bool:
            steps = {"handing" if each.handing else each.state for each in batch.downlinks.values()}
            for each in steps:
                passing(f"before the commit of {each}")
            mended = super().commit(batch)
            for each in steps:
                passing(f"after the commit of {each}")
            return mended

    return DyingSpool


def _dying_intake(passing: Callable[[str], None]) -> type[Intake]:
    class DyingIntake(Intake):
        def take(self, topic: str, payload: bytes, acknowledge: Callable[[], None]) -> None:
            def acknowledging() -> None:
                acknowledge()
                passing("after the PUBACK")

            super().take(topic, payload, acknowledging)

    return DyingIntake


def _dying_hand_over(passing: Callable[[str], None]) -> object:
    hand_over = SemtechSender.hand_over

    async def dying(sender: SemtechSender, downlink: Downlink) -> bool:
        passing("before the write")
        handed = await hand_over(sender, downlink)
        passing("after the write")
        return handed

    return dying


if __name__ == "__main__":
    main()
