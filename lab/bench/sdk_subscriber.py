"""The SDK alone as a subscriber to requests, in a process of its own.

When it has got all of them it prints when each came, by the monotonic clock, as a JSON object.
"""

import argparse
import json
import threading
import time
from pathlib import Path

from bridge.config import Aws
from bridge.mqtt.aws_iot import aws_client
from bridge.mqtt.client import Callbacks, suback_failure
from contract.deployment import UNNAMED
from contract.downlinks import parse_request

_LIMIT = 60.0  # seconds

READY = "ready"
"""What it prints when it has subscribed."""


def main() -> None:
    """Subscribe, and print the times by the id of the request."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True, help="of requests to wait for")
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--certificates", type=Path, required=True)
    options = parser.parse_args()
    came: list[tuple[float, bytes]] = []
    connected, complete = threading.Event(), threading.Event()

    def received(_topic: str, payload: bytes) -> None:
        came.append((time.monotonic(), payload))
        if len(came) == options.count:
            complete.set()

    aws = Aws(
        endpoint="localhost",
        port=options.broker_port,
        client_id="subscriber",
        certificate=options.certificates / "client.pem",
        private_key=options.certificates / "client.key",
        root_ca=options.certificates / "ca.pem",
        respect_quotas=False,
    )
    client = aws_client(aws, "subscriber", Callbacks(connected=connected.set, received=received))
    client.start()
    if not connected.wait(_LIMIT):
        raise TimeoutError("the broker did not answer the SDK")
    subscribing = client.subscribe([UNNAMED.request_topic("+/+")])
    if (failure := suback_failure(subscribing)) is not None:
        raise TimeoutError(f"not subscribed: {failure.reason}")
    print(READY, flush=True)
    if not complete.wait(_LIMIT):
        raise TimeoutError(f"{len(came)} of {options.count} requests came")
    print(json.dumps({parse_request(payload).id: at for at, payload in came}), flush=True)


if __name__ == "__main__":
    main()
