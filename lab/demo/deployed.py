"""What the demo deploys, and how it tells what it does."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.aws.cdk import deploy, write_settings
from lab.aws.delivery import accept_plain_delivery
from lab.aws.host import Host

BRIDGE, CONSUMER = "network-host-1", "reader"
_CODECS = Path(__file__).parents[1] / "demo_codecs"


def set_up(host: Host) -> Path:
    """Deploy and enroll; return the file of settings, which deploys the same again."""
    with step(f"lora-bridge keygen, for {BRIDGE} and a consumer, {CONSUMER}"):
        settings: dict[str, object] = {
            "environment": "development",
            "codecs": str(_CODECS),
            "publish_decoded": True,  # for history --follow
            "bridges": {BRIDGE: str(host.keygen(BRIDGE))},
            "consumers": {CONSUMER: str(host.keygen(CONSUMER))},
        }
    with step("cdk bootstrap, cdk deploy --all"):
        path = write_settings(host.folder, settings)
        deploy(os.environ, host.folder / "cdk.out", path)
        accept_plain_delivery()
    with step("lora-bridge enroll, for both"):
        host.enroll(BRIDGE)
        host.enroll(CONSUMER)
    return path


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    print(f"{title} …", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - started:.1f} s", flush=True)
