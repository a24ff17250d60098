"""What a measurement was made on and with."""

import importlib.metadata
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from lab.rig.mosquitto import version


def machine() -> str:
    """Return when, on what and with what this is measured, in one line."""
    facts = [
        f"{datetime.now(UTC):%Y-%m-%d}",
        f"{os.cpu_count()} cores of {_cpu_model()}",
        f"{platform.system()} {platform.release()}",
        # Whose build it is: that makes a sixth of a difference.
        f"Python {platform.python_version()} of {sys.base_prefix}",
        version(),
        f"awsiotsdk {importlib.metadata.version('awsiotsdk')}",
        f"awscrt {importlib.metadata.version('awscrt')}",
    ]
    return ", ".join(facts)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
