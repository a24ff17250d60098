"""How long the SDK alone waits for a PUBACK, in a process of its own; prints milliseconds."""

import argparse
import json
import threading
import time
from pathlib import Path

from bridge.messages.message import Message
from bridge.mqtt.client import Client
from lab.bench.sdk import connected, messages

_ANSWER_LIMIT = 10.0  # seconds after the last publish


def latencies(client: Client, work: list[Message], rate: float) -> list[float]:
    """Publish ``rate`` messages a second; return ms from publish to PUBACK of each."""
    taken: list[float] = []
    all_acknowledged = threading.Event()

    def publish(message: Message) -> None:
        published = time.perf_counter()

        def acknowledged(_done: object) -> None:
            taken.append((time.perf_counter() - published) * 1000)
            if len(taken) == len(work):
                all_acknowledged.set()

        client.publish(message.topic, message.payload).add_done_callback(acknowledged)

    started = time.perf_counter()
    for number, message in enumerate(work):
        time.sleep(max(0.0, started + number / rate - time.perf_counter()))
        publish(message)
    if not all_acknowledged.wait(_ANSWER_LIMIT):
        raise TimeoutError(f"{len(taken)} PUBACKs for {len(work)} publishes")
    return taken


def main() -> None:
    """Print a JSON list of all latencies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--rate", type=float, required=True, help="publishes a second")
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--certificates", type=Path, required=True)
    options = parser.parse_args()
    work = messages(options.frames)
    with connected(options.broker_port, options.certificates) as client:
        print(json.dumps(latencies(client, work, options.rate)))


if __name__ == "__main__":
    main()
