"""The SDK alone between ChirpStack's broker and AWS IoT, in a process of its own.

It publishes each event as it is, and acknowledges it when its own PUBACK has come. Of the event it
reads the topic, and it keeps nothing on disk.
"""

import argparse
import json
import threading
import time
from functools import partial
from pathlib import Path

from bridge.config import Broker, ChirpStack
from bridge.mqtt.broker import broker_client
from bridge.mqtt.client import Callbacks, Client, keep_thread_state, suback_failure
from bridge.mqtt.told import Acknowledge, Delivery
from bridge.sources.chirpstack.topics import EventTopic
from contract.deployment import UNNAMED
from lab.bench.sdk import connected

_LIMIT = 60.0  # seconds

READY = "ready"
"""What it prints when it has connected to both brokers."""


class Hand:
    """Hands events on to AWS IoT; ``done`` is set after ``enough`` of them.

    ``acknowledged`` has when the PUBACK of each came, by the monotonic clock, in order of receipt.
    """

    def __init__(self, client: Client, enough: int | None) -> None:
        self._client = client
        self._topic = EventTopic(ChirpStack().event_topic)
        self._enough = enough
        self.acknowledged: list[float] = []
        self.done = threading.Event()

    @property
    def filter(self) -> str:
        """What to subscribe to."""
        return self._topic.filter

    def take(self, delivery: Delivery) -> None:
        """Publish an event, on the thread that it came on."""
        place = self._topic.place(delivery.topic)
        if place is None or delivery.acknowledge is None:
            return
        topic = UNNAMED.uplink_topic(f"{place.application_id}/{place.dev_eui}")
        self.acknowledged.append(0.0)
        answered = partial(self._answered, len(self.acknowledged) - 1, delivery.acknowledge)
        self._client.publish(topic, delivery.payload).add_done_callback(answered)

    def _answered(self, number: int, acknowledge: Acknowledge, _done: object) -> None:
        self.acknowledged[number] = time.monotonic()
        acknowledge()
        if number + 1 == self._enough:  # the last: PUBACKs come in order (MQTT 5.0, 4.6)
            self.done.set()


def main() -> None:
    """Hand on until ended, or until there were enough; then print when each PUBACK came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="of ChirpStack's broker")
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--certificates", type=Path, required=True)
    parser.add_argument("--count", type=int, help="of events to end after")
    options = parser.parse_args()
    with connected(options.broker_port, options.certificates, kept=True) as aws:
        hand = Hand(aws, options.count)
        up = threading.Event()

        def connect() -> None:
            keep_thread_state()
            up.set()

        callbacks = Callbacks(connected=connect, entrusted=hand.take)
        expiry = ChirpStack().session_expiry
        client = broker_client(Broker(port=options.port), "sdk", callbacks, expiry)
        client.start()
        if not up.wait(_LIMIT):
            raise TimeoutError("ChirpStack's broker did not answer the SDK")
        if (failure := suback_failure(client.subscribe([hand.filter]))) is not None:
            raise TimeoutError(f"not subscribed: {failure.reason}")
        print(READY, flush=True)
        hand.done.wait()
        client.stop()
    print(json.dumps(hand.acknowledged), flush=True)


if __name__ == "__main__":
    main()
