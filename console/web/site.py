"""What every view works with, wired once in ``commands.py``."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.store.subscription import Consumer
from console.web.watcher import Watcher
from contract.deployment import Deployment
from contract.silence import Intervals


@dataclass(frozen=True)
class Site:
    """What is looked at: a deployment, with the AWS credentials of whoever started this.

    ``uplinks`` is the name of its table. ``config`` is the bridge's configuration, None where
    there is none on this machine. ``consumer`` makes one that listens, None without a certificate.
    ``clock`` tells microseconds since 1970.
    """

    deployment: Deployment
    uplinks: str
    intervals: Intervals
    watcher: Watcher
    config: Path | None
    consumer: Callable[[], Consumer] | None
    clock: Callable[[], int]
