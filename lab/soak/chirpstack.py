"""ChirpStack as far as its uplinks go: it publishes them at QoS 1, until its broker has each."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from heapq import heappop, heappush
from itertools import count
from types import TracebackType
from typing import Self
from uuid import UUID

from bridge.config import Broker
from bridge.mqtt.broker import broker_client
from bridge.mqtt.client import Callbacks, Publishing, puback_failure
from lab.soak.frames import DEVICES
from lab.soak.site import wait_until

_TICK = 0.005  # seconds between looks at what is due
_WINDOW = 100  # events at the broker without a PUBACK: as many as ChirpStack's channel holds
_LIMIT = 120.0  # seconds for the broker to take all
_APPLICATION = "4de338a8-d918-4a0d-a7b9-e2fd8b4de47b"
_PRECISIONS = ("seconds", "milliseconds", "microseconds", "microseconds")
"""Of times, in turn. With whole seconds several uplinks of a device have the same one."""


def event(number: int, time: float) -> tuple[str, bytes]:
    """Return topic and payload of an uplink of one of the DEVICES; its FCnt is ``number``."""
    dev_eui = f"70b3d57e{number % DEVICES:08x}"
    precision = _PRECISIONS[number // DEVICES % len(_PRECISIONS)]
    gateway_id = "0016c001ff10a235"
    up = {
        "deduplicationId": str(UUID(int=number)),
        "time": datetime.fromtimestamp(time, UTC).isoformat(timespec=precision),
        "deviceInfo": {
            "applicationId": _APPLICATION,
            "deviceProfileName": "probe",
            "deviceName": f"probe-{number % DEVICES}",
            "devEui": dev_eui,
            "tags": {"site": "north"},
        },
        "adr": True,
        "fCnt": number,
        "fPort": 1,
        "data": "Af4=",
        "object": {"temperature": 21.5},
        "rxInfo": [{"gatewayId": gateway_id, "rssi": -57, "snr": 9.2, "channel": 1}],
        "txInfo": {
            "frequency": 868100000,
            "modulation": {
                "lora": {"bandwidth": 125000, "spreadingFactor": 7, "codeRate": "CR_4_5"}
            },
        },
    }
    return f"application/{_APPLICATION}/device/{dev_eui}/event/up", json.dumps(up).encode()


class ChirpStack:
    """Publishes ``rate`` uplinks a second, with times of ``clock``, in a thread of its own.

    ``accepted`` has when the PUBACK of each came, by number and by the monotonic clock. What gets
    none before its connection ends is published again.
    """

    def __init__(self, broker: Broker, rate: float, clock: Callable[[], float] = time.time) -> None:
        self._rate = rate
        self._clock = clock
        self._connected = threading.Event()
        self._stopped = Future[None]()
        callbacks = Callbacks(
            connected=self._connected.set,
            lost=lambda _reason: self._connected.clear(),
            stopped=lambda: self._stopped.set_result(None),
        )
        self._client = broker_client(broker, "chirpstack", callbacks)
        self._numbers = count()
        self._due: list[tuple[int, str, bytes]] = []
        self._under_way: dict[int, tuple[str, bytes, Publishing]] = {}
        self._enough, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.accepted: dict[int, float] = {}

    def __enter__(self) -> Self:
        self._client.start()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()
        self._client.stop()
        self._stopped.result(_LIMIT)

    def stop(self) -> None:
        """Make no more uplinks, and return when the broker has all.

        Raises:
            RigError: it does not take them.

        """
        self._enough.set()
        wait_until(lambda: not self._thread.is_alive(), _LIMIT, "the broker to take all uplinks")

    def _run(self) -> None:
        began, made = time.monotonic(), 0
        while not self._end.wait(_TICK):
            self._settle()
            if not self._enough.is_set():
                due = int((time.monotonic() - began) * self._rate)
                self._make(due - made)
                made = due
            elif not self._due and not self._under_way:
                return
            self._publish()

    def _make(self, uplinks: int) -> None:
        now = self._clock()
        for _ in range(uplinks):
            number = next(self._numbers)
            heappush(self._due, (number, *event(number, now)))

    def _publish(self) -> None:
        while self._due and self._connected.is_set() and len(self._under_way) < _WINDOW:
            number, topic, payload = heappop(self._due)
            publishing = self._client.publish(topic, payload)
            publishing.add_done_callback(partial(self._note, number))
            self._under_way[number] = topic, payload, publishing

    def _note(self, number: int, publishing: Publishing) -> None:
        """Note, on the SDK's thread, when the broker has accepted an uplink."""
        now = time.monotonic()
        if puback_failure(publishing) is None:
            self.accepted[number] = now

    def _settle(self) -> None:
        for number, (topic, payload, publishing) in list(self._under_way.items()):
            if publishing.done():
                del self._under_way[number]
                if puback_failure(publishing) is not None:
                    heappush(self._due, (number, topic, payload))
